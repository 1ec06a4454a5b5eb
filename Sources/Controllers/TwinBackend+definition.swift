internal import Documents
public import Resources

extension TwinBackend {
  /// The kind Twin, described as a CustomResourceDefinition would; its text is YAML in flow style, and JSON too.
  public static let definition: ResourceDefinition = {
    guard let crd = try? JSONValue(parsing: definitionText),
      let definition = ResourceDefinition(
        crd: crd, verbs: ["get", "list", "patch", "update", "watch"],
        subresources: [commands, history, delta])
    else { preconditionFailure("the definition of Twin cannot be read") }
    return definition
  }()

  static let definitionText = #"""
    {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
     "metadata": {"name": "twins.twin.selvedge.dev"},
     "spec": {
       "group": "twin.selvedge.dev", "scope": "Namespaced",
       "names": {"kind": "Twin", "listKind": "TwinList", "plural": "twins", "singular": "twin", "categories": ["selvedge", "all"]},
       "versions": [{
         "name": "v1alpha1", "served": true, "storage": true,
         "additionalPrinterColumns": [
           {"name": "Connected", "type": "boolean", "jsonPath": ".status.connected",
            "description": "Whether the link to the device is up."},
           {"name": "Properties", "type": "integer", "jsonPath": ".status.counts.properties",
            "description": "Properties of the twin."},
           {"name": "Desired", "type": "integer", "jsonPath": ".status.counts.desired",
            "description": "Properties with a desired value."},
           {"name": "Unconfirmed", "type": "integer", "jsonPath": ".status.counts.unconfirmed",
            "description": "Desired values that the device was not seen to hold."},
           {"name": "Bad", "type": "integer", "jsonPath": ".status.counts.bad",
            "description": "Properties without a usable value."},
           {"name": "Writes", "type": "string", "jsonPath": ".status.writes", "priority": 1,
            "description": "Whether the Device allows writes."},
           {"name": "Policy", "type": "string", "jsonPath": ".status.desiredPolicy", "priority": 1,
            "description": "Whose wish counts where the Device's spec and a change of the Twin name a property."},
           {"name": "Version", "type": "string", "jsonPath": ".metadata.resourceVersion", "priority": 1,
            "description": "Rises with every change."},
           {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}],
         "schema": {"openAPIV3Schema": {
           "type": "object",
           "description": "Twin is the live state of one Device: what it reports and what is desired of it. It comes and goes with its Device.",
           "properties": {
             "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
             "spec": {
               "type": "object", "description": "What is desired of the device.",
               "properties": {
                 "desired": {
                   "type": "object",
                   "description": "Desired values by property; null in a patch takes one away. A value that the model forbids is refused. Integers above 2^63-1 are decimal strings.",
                   "additionalProperties": {"x-kubernetes-preserve-unknown-fields": true}}}},
             "status": {
               "type": "object", "description": "What the gateway knows of the device; written by the gateway alone.",
               "properties": {
                 "served": {"type": "boolean",
                   "description": "Whether this gateway serves the device; of a device that several can serve one does."},
                 "connected": {"type": "boolean", "description": "Whether the link to the device is up."},
                 "writes": {"type": "string", "enum": ["Enabled", "Disabled"],
                   "description": "Whether the Device allows writes."},
                 "desiredPolicy": {"type": "string", "enum": ["LatestWins", "SpecWins"],
                   "description": "Whose wish counts where the Device's spec and a change of the Twin name a property."},
                 "counts": {
                   "type": "object", "description": "The twin in numbers.",
                   "properties": {
                     "properties": {"type": "integer"}, "desired": {"type": "integer"},
                     "unconfirmed": {"type": "integer"}, "bad": {"type": "integer"}}},
                 "properties": {
                   "type": "array", "description": "Every property of the model, and every one that is desired.",
                   "x-kubernetes-list-type": "atomic",
                   "items": {
                     "type": "object",
                     "properties": {
                       "name": {"type": "string"},
                       "type": {"type": "string", "description": "boolean, integer, number, string, object or array."},
                       "items": {"type": "string", "description": "The type of an array's elements."},
                       "unit": {"type": "string"},
                       "access": {"type": "string", "description": "Read, ReadWrite or Write."},
                       "reported": {"x-kubernetes-preserve-unknown-fields": true,
                         "description": "The last usable value; absent before there was one."},
                       "quality": {"type": "string", "enum": ["Good", "Uncertain", "Bad"],
                         "description": "How far the reported value can be trusted now."},
                       "cause": {"type": "string", "description": "Why the quality is not Good."},
                       "sourceTime": {"type": "string", "format": "date-time",
                         "description": "When the source says that the value was true."},
                       "gatewayTime": {"type": "string", "format": "date-time",
                         "description": "When the gateway last heard of the property."},
                       "version": {"type": "integer", "format": "int64",
                         "description": "The twin's version at the property's last change."},
                       "desired": {"x-kubernetes-preserve-unknown-fields": true, "description": "The desired value."},
                       "desiredBy": {"type": "string", "description": "spec, or local/ and who changed the Twin."},
                       "desiredTime": {"type": "string", "format": "date-time", "description": "When it was asked for."},
                       "state": {"type": "string",
                         "enum": ["Pending", "Writing", "Confirmed", "Failed", "Rejected", "Expired", "Held"],
                         "description": "How far the desired value has come."},
                       "reason": {"type": "string", "description": "Why the state is what it is, in CamelCase."},
                       "message": {"type": "string", "description": "Why the state is what it is, in words."},
                       "attempts": {"type": "integer", "description": "Attempts to write the desired value."},
                       "specDesired": {"x-kubernetes-preserve-unknown-fields": true,
                         "description": "What the Device's spec wishes, where something else is desired."},
                       "drift": {
                         "type": "object",
                         "description": "A change of the Twin that is not desired, since the Device's spec names the property and wins.",
                         "properties": {
                           "value": {"x-kubernetes-preserve-unknown-fields": true},
                           "by": {"type": "string"}, "time": {"type": "string", "format": "date-time"}}},
                       "confirmedTime": {"type": "string", "format": "date-time",
                         "description": "When a desired value was last seen to hold."}}}}}}}}}}]}}
    """#
}
