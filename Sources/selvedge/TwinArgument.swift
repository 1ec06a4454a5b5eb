import ArgumentParser

/// Which twin a command is about.
struct TwinArgument: ParsableArguments {
  @Option(name: [.customShort("n"), .long], help: "The namespace.")
  var namespace = "default"
  @Argument(help: "The device.")
  var device: String

  var path: String { "/apis/twin.selvedge.dev/v1alpha1/namespaces/\(namespace)/twins/\(device)" }
}
