// Renders a Helm chart as `helm template` does, by the same text/template and sprig, for machines without helm.
// Usage: go run main.go CHART RELEASE NAMESPACE < values.json   (values already merged); prints one YAML document a template.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"gopkg.in/yaml.v3"
)

// A chart's files beside its templates, as `.Files` has them.
type files map[string][]byte

func (f files) Get(name string) string { return string(f[name]) }

func (f files) Glob(pattern string) files {
	found := files{}
	for name, body := range f {
		if matches, _ := filepath.Match(pattern, name); matches {
			found[name] = body
		}
	}
	return found
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Helm goes through JSON on both ways: every number in values is a float64, every key a string.
func fromYAML(text []byte) map[string]interface{} {
	var value interface{}
	check(yaml.Unmarshal(text, &value))
	body, err := json.Marshal(value)
	check(err)
	result := map[string]interface{}{}
	check(json.Unmarshal(body, &result))
	return result
}

func toYAML(value interface{}) string {
	body, err := json.Marshal(value)
	check(err)
	var plain interface{}
	check(yaml.Unmarshal(body, &plain))
	text, err := yaml.Marshal(plain)
	check(err)
	return strings.TrimSuffix(string(text), "\n")
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: main.go CHART RELEASE NAMESPACE < values.json")
		os.Exit(2)
	}
	chart, release, namespace := os.Args[1], os.Args[2], os.Args[3]
	values := map[string]interface{}{}
	check(json.NewDecoder(os.Stdin).Decode(&values))
	head, err := os.ReadFile(filepath.Join(chart, "Chart.yaml"))
	check(err)
	about := fromYAML(head)

	others := files{}
	check(filepath.Walk(filepath.Join(chart, "files"), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		name, _ := filepath.Rel(chart, path)
		others[name], err = os.ReadFile(path)
		return err
	}))

	root := template.New("chart").Option("missingkey=error")
	functions := sprig.TxtFuncMap()
	delete(functions, "env")
	delete(functions, "expandenv")
	functions["toYaml"] = toYAML
	functions["fromYaml"] = func(text string) map[string]interface{} { return fromYAML([]byte(text)) }
	functions["include"] = func(name string, data interface{}) (string, error) {
		var out bytes.Buffer
		err := root.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	functions["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	root.Funcs(functions)

	paths, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	check(err)
	sort.Strings(paths)
	for _, path := range paths {
		body, err := os.ReadFile(path)
		check(err)
		_, err = root.New(filepath.Base(path)).Parse(string(body))
		check(err)
	}
	data := map[string]interface{}{
		"Values": values, "Files": others,
		"Chart": map[string]interface{}{
			"Name": about["name"], "Version": about["version"], "AppVersion": about["appVersion"],
		},
		"Release": map[string]interface{}{
			"Name": release, "Namespace": namespace, "Service": "Helm", "IsInstall": true, "IsUpgrade": false, "Revision": 1,
		},
	}
	for _, path := range paths {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "_") {
			continue
		}
		var out bytes.Buffer
		check(root.ExecuteTemplate(&out, name, data))
		if strings.HasSuffix(name, ".yaml") && strings.TrimSpace(out.String()) != "" {
			fmt.Printf("---\n# Source: %s\n%s\n", name, out.String())
		}
	}
}
