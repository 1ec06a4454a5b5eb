// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

// Executables carry the Swift runtime inside them: a gateway has no toolchain. Tests link it dynamically, out of the
// same objects; these record no need for the parts of FoundationEssentials, hence the libraries by name.
let carryRuntime: [LinkerSetting] = [
  .unsafeFlags([
    "-static-stdlib", "-l_FoundationCShims", "-l_FoundationCollections", "-lswiftSynchronization",
    "-use-ld=lld", "-Xlinker", "--gc-sections", "-Xlinker", "--no-export-dynamic", "-Xlinker", "--icf=safe", "-Xlinker",
    "-z", "-Xlinker", "pack-relative-relocs", "-Xlinker", "-z", "-Xlinker", "nostart-stop-gc", "-Xlinker",
    "--no-eh-frame-hdr", "-Xlinker", "-T", "-Xlinker", "\(Context.packageDirectory)/scripts/link.ld",
  ])
]

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let asyncHTTP: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let collections: Target.Dependency = .product(name: "Collections", package: "swift-collections")

/// A library layer of the project, under `Sources/<path or name>`, with the house's settings.
func layer(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency], resources: [Resource] = [])
  -> Target
{
  .target(
    name: name, dependencies: dependencies, path: "Sources/\(path ?? name)", resources: resources,
    swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", swiftSettings: strict,
    linkerSettings: carryRuntime)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  // What is shipped is optimised, what only asks it is built sooner without.
  .testTarget(
    name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict + [.unsafeFlags(["-Onone"])])
}

func c(_ name: String) -> Target { .systemLibrary(name: name, path: "Sources/C/\(name)") }

let package = Package(
  name: "selvedge",
  products: [
    .executable(name: "selvedge", targets: ["selvedge"]),
    .executable(name: "selvedge-plant", targets: ["selvedge-plant"]),
  ],
  dependencies: [
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    c("CSQLite"), c("CYaml"), c("CModbus"), c("CMosquitto"), c("CUdev"), c("CCrypto"), c("CZlib"), c("CZstd"),
    c("CProcessor"),
    c("CClockState"), c("CAffinity"),

    layer("Documents", []),
    layer("SQLite", ["CSQLite"]),
    layer("Threads", []),
    layer("Compression", ["CZlib", "CZstd"]),
    layer("YAML", ["CYaml", "Documents"]),
    layer("MQTTClient", ["CMosquitto", "Documents", log]),
    layer("HTTPClient", [asyncHTTP, nio, nioPosix, nioHTTP, nioTLS]),
    layer("Resources", ["Documents", "YAML"]),
    layer("DeviceKit", ["Documents", "CClockState"]),
    layer("SinkKit", ["Documents", "DeviceKit", "Threads"]),

    // What lies on the disk and must not be read there.
    layer("Encryption", ["Documents", "Resources", "CCrypto"]),
    layer("ResourceStore", ["Documents", "Resources", "SQLite", "Threads", "Encryption", deque, log]),
    layer(
      "KubernetesClient",
      ["Documents", "Resources", "YAML", "HTTPClient", "SQLite", "Threads", "Encryption", log]),
    layer("TwinStore", ["Documents", "DeviceKit", "SQLite", log]),
    layer("Telemetry", ["Documents", "DeviceKit", "SinkKit", "CProcessor", log]),
    // The twins of all gateways of a cluster, as one collection.
    layer("TwinAggregation", ["Documents", "Resources", "KubernetesClient", log]),
    layer("KubernetesAPI", ["Documents", "Resources", "YAML", "Compression", hummingbird, httpTypes, nio, log]),
    layer("HTTPServing", [hummingbird, hummingbirdCore, httpTypes, nio, nioHTTP, nioPosix, log, lifecycle]),

    layer(
      "ModbusProtocol", path: "Protocols/ModbusProtocol",
      ["Documents", "DeviceKit", "Threads", "CModbus", nio, nioPosix, log]),
    layer("MQTTProtocol", path: "Protocols/MQTTProtocol", ["Documents", "DeviceKit", "MQTTClient", log]),
    layer("UdevProtocol", path: "Protocols/UdevProtocol", ["Documents", "DeviceKit", "CUdev", log]),
    layer("FileSink", path: "Sinks/FileSink", ["Documents", "DeviceKit", "SinkKit", "Compression", log]),
    layer("StdoutSink", path: "Sinks/StdoutSink", ["Documents", "SinkKit"]),
    // What the sinks that speak HTTP share.
    layer(
      "HTTPDelivery", path: "Sinks/HTTPDelivery", ["Documents", "DeviceKit", "SinkKit", "HTTPClient", "Compression"]),
    layer("HTTPSink", path: "Sinks/HTTPSink", ["Documents", "DeviceKit", "SinkKit", "HTTPDelivery", "HTTPClient"]),
    layer(
      "RemoteWriteSink", path: "Sinks/RemoteWriteSink",
      ["Documents", "DeviceKit", "SinkKit", "HTTPDelivery", "HTTPClient"]),
    layer("OTLPSink", path: "Sinks/OTLPSink", ["Documents", "DeviceKit", "SinkKit", "HTTPDelivery", "HTTPClient"]),
    layer("MQTTSink", path: "Sinks/MQTTSink", ["Documents", "DeviceKit", "SinkKit", "MQTTClient", log]),

    layer(
      "Controllers",
      ["Documents", "DeviceKit", "MQTTClient", "SinkKit", "Resources", "TwinStore", "Telemetry", deque, log, lifecycle]),
    layer(
      "Gateway",
      [
        "Documents", "DeviceKit", "SinkKit", "Resources", "ResourceStore", "TwinStore", "Telemetry", "Controllers",
        "KubernetesAPI", "KubernetesClient", "TwinAggregation", "YAML", "MQTTClient", "ModbusProtocol", "MQTTProtocol",
        "UdevProtocol",
        "FileSink",
        "StdoutSink", "MQTTSink", "HTTPSink", "RemoteWriteSink", "OTLPSink", "SQLite", "Threads", "HTTPServing",
        hummingbird, httpTypes, nio, nioTLS, log, lifecycle,
        signals,
      ], resources: [.embedInCode("Dashboard/index.html")]),
    program(
      "selvedge",
      [
        "Gateway", "Documents", "DeviceKit", "Resources", "YAML", "ModbusProtocol", arguments, nio, nioPosix, nioHTTP,
        nioTLS, log,
      ]),

    layer("Plant", ["CModbus", "CMosquitto", "DeviceKit", "Documents"]),
    program("selvedge-plant", ["Plant", "Documents", arguments]),

    program(
      "selvedge-bench",
      [
        "Telemetry", "SinkKit", "TwinStore", "Controllers", "ModbusProtocol", "MQTTProtocol", "MQTTClient", "MQTTSink",
        "DeviceKit", "Documents", "ResourceStore", "KubernetesAPI", "KubernetesClient", "HTTPServing", "Resources",
        "CModbus", "CMosquitto",
        "CSQLite", "CAffinity", hummingbird, nio,
        nioPosix, log,
      ], path: "Benchmarks"),

    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    // What every resource backend must do, for the tests of each of them.
    .target(
      name: "ResourceConformance", dependencies: ["Documents", "Resources"], path: "Tests/ResourceConformance",
      swiftSettings: strict),

    // What every sink must do, for the tests of each of them.
    .target(
      name: "SinkConformance", dependencies: ["Documents", "DeviceKit", "SinkKit", "TestSupport"],
      path: "Tests/SinkConformance", swiftSettings: strict),

    tests("DocumentsTests", ["Documents", "YAML"]),
    tests("DeviceKitTests", ["DeviceKit", "Documents"]),
    tests("ResourcesTests", ["Resources", "Documents", "YAML"]),
    tests("ResourceStoreTests", ["ResourceStore", "ResourceConformance", "Resources", "SQLite", "Documents"]),
    tests("TwinStoreTests", ["TwinStore", "DeviceKit", "Documents", "SQLite", "TestSupport", log]),
    tests("SinkKitTests", ["SinkKit", "DeviceKit", "Documents"]),
    tests("FileSinkTests", ["FileSink", "SinkConformance", "SinkKit", "DeviceKit", "Documents", "TestSupport"]),
    tests(
      "HTTPSinkTests",
      [
        "HTTPSink", "RemoteWriteSink", "OTLPSink", "HTTPDelivery", "HTTPClient", "Compression", "SinkConformance",
        "SinkKit", "DeviceKit", "Documents", "TestSupport",
      ], exclude: ["receiver.py"]),
    tests("StdoutSinkTests", ["StdoutSink", "SinkConformance", "SinkKit", "DeviceKit", "Documents", "TestSupport"]),
    tests("TelemetryTests", ["Telemetry", "SinkKit", "DeviceKit", "Documents", "TestSupport", "YAML"]),
    tests(
      "KubernetesAPITests",
      [
        "KubernetesAPI", "HTTPServing", "Controllers", "TwinStore", "DeviceKit", "ResourceStore", "ResourceConformance",
        "Resources",
        "Documents", "YAML", "TestSupport", hummingbird, httpTypes, nio, log, lifecycle,
      ]),
    tests(
      "KubernetesClientTests",
      [
        "KubernetesClient", "KubernetesAPI", "HTTPClient", "HTTPServing", "ResourceStore", "ResourceConformance",
        "Resources", "DeviceKit", "Documents", "YAML", "TestSupport", hummingbird, httpTypes, nio, nioPosix, nioTLS,
        log, lifecycle,
      ]),
    tests(
      "ModbusProtocolTests",
      ["ModbusProtocol", "Plant", "DeviceKit", "Documents", "YAML", "CModbus", "TestSupport", nio, nioPosix]),
    tests(
      "MQTTProtocolTests",
      [
        "MQTTProtocol", "MQTTClient", "MQTTSink", "SinkConformance", "SinkKit", "DeviceKit", "Documents", "YAML",
        "TestSupport", log,
      ]),
    tests("UdevProtocolTests", ["UdevProtocol", "DeviceKit", "Documents", "YAML", log]),
    tests(
      "ControllersTests",
      [
        "Controllers", "TwinAggregation", "KubernetesClient", "TwinStore", "Telemetry", "SinkKit", "Resources",
        "ResourceConformance", "YAML", "DeviceKit", "Documents", "ResourceStore", "TestSupport", log,
      ]),
    tests("TwinAggregationTests", ["TwinAggregation", "Resources", "Documents", "TestSupport"]),
    tests("PlantTests", ["Plant", "CModbus", "DeviceKit", "Documents", "TestSupport"]),
    tests(
      "GatewayTests", ["Gateway", "ModbusProtocol", "Resources", "YAML", "DeviceKit", "Documents", "TestSupport", log]),
  ]
)

// For scripts/sanitize.sh. `core` keeps what needs no network library, `protocols` adds what speaks to devices, `all`
// keeps everything.
if let sanitized = Context.environment["SELVEDGE_SANITIZED"] {
  if sanitized != "all" {
    var kept: Set = [
      "CSQLite", "CYaml", "CCrypto", "Documents", "Threads", "SQLite", "YAML", "Resources", "DeviceKit", "SinkKit",
      "Encryption", "ResourceStore", "TwinStore", "Telemetry", "FileSink", "CZlib", "CZstd", "CProcessor",
      "CClockState",
      "Compression", "TestSupport",
      "ResourceConformance",
    ]
    package.dependencies = [
      .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
      .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ]
    if sanitized == "protocols" {
      kept.formUnion([
        "CModbus", "CMosquitto", "CUdev", "MQTTClient", "ModbusProtocol", "MQTTProtocol", "UdevProtocol",
        "MQTTSink", "SinkConformance", "Plant", "ModbusProtocolTests", "MQTTProtocolTests", "UdevProtocolTests",
        "PlantTests",
      ])
      package.dependencies.append(.package(url: "https://github.com/apple/swift-nio", from: "2.101.2"))
    } else {
      kept.formUnion(["DocumentsTests", "DeviceKitTests", "ResourceStoreTests", "TwinStoreTests", "TelemetryTests"])
    }
    package.products = []
    package.targets.removeAll { !kept.contains($0.name) }
  }
  for target in package.targets where target.type == .test || target.type == .executable {
    target.dependencies.append("Sanitized")
    // The sanitizer's runtime stands beside Swift's, in libraries.
    target.linkerSettings = nil
  }
  package.targets.append(.target(name: "Sanitized", path: "Tests/Sanitized"))
}
