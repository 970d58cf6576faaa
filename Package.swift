// swift-tools-version: 6.3
import PackageDescription

/// Flags every Swift target of ours is built with. None of them is unsafe, so that the package stays usable as a dependency.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// One room of the house: `Sources/<tier>/<name>`, module `Murmur<name>`.
/// What it may import is checked by `HouseTests` against `Documentation/Architecture.md`.
func room(_ tier: String, _ name: String, _ needs: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
  .target(
    name: "Murmur\(name)", dependencies: needs, path: "Sources/\(tier)/\(name)", resources: resources, swiftSettings: strict)
}

/// The tests of one room: `Tests/<name>Tests`.
func tests(_ name: String, _ needs: [Target.Dependency], resources: [Resource]? = nil) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: needs, path: "Tests/\(name)Tests", resources: resources, swiftSettings: strict)
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let nioConcurrency: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
  name: "murmuration",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "murmur", targets: ["murmur"]),
    .library(name: "MurmurMachines", targets: ["MurmurMachines"]),
    .library(name: "MurmurWire", targets: ["MurmurWire"]),
    .library(name: "MurmurIdentity", targets: ["MurmurIdentity"]),
    .library(name: "MurmurChannels", targets: ["MurmurChannels"]),
    .library(name: "MurmurHost", targets: ["MurmurHost"]),
    .library(name: "MurmurCompute", targets: ["MurmurCompute"]),
    .library(name: "MurmurDatasets", targets: ["MurmurDatasets"]),
    .library(name: "MurmurBlocks", targets: ["MurmurBlocks"]),
    .library(name: "MurmurStorage", targets: ["MurmurStorage"]),
    .library(name: "MurmurPeer", targets: ["MurmurPeer"]),
    // What a peer and a node are made of, for whoever makes one.
    .library(name: "MurmurCollective", targets: ["MurmurCollective"]),
    .library(name: "MurmurSessions", targets: ["MurmurSessions"]),
    .library(name: "MurmurPubSub", targets: ["MurmurPubSub"]),
    .library(name: "MurmurRouting", targets: ["MurmurRouting"]),
    .library(name: "MurmurSimulator", targets: ["MurmurSimulator"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: [
    // Foundations
    room("Foundations", "Machines"),
    room("Foundations", "Wire", [protobuf, crypto]),
    room("Foundations", "Identity", ["MurmurWire", crypto, cryptoExtras]),
    // Compute
    .target(name: "MurmurKernels", path: "Sources/Compute/Kernels", publicHeadersPath: "include"),
    room("Compute", "Compute", ["MurmurKernels", "MurmurMachines"]),
    .systemLibrary(
      name: "CZlib", path: "Sources/Compute/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    room("Compute", "Datasets", ["MurmurCompute", "MurmurMachines", "CZlib"]),
    // Network
    room("Network", "Channels", ["MurmurMachines", "MurmurWire", "MurmurIdentity", crypto]),
    room("Network", "PubSub", ["MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    room("Network", "Identify", ["MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    room("Network", "Routing", ["MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    room("Network", "Discovery", ["MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    room("Network", "Blocks", ["MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    // Learning
    room("Learning", "Sessions", ["MurmurMachines"]),
    room("Learning", "Aggregation", ["MurmurCompute", "MurmurSessions"]),
    room(
      "Learning", "Collective",
      ["MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurBlocks", "MurmurCompute", "MurmurAggregation", "MurmurSessions"]),
    room("Learning", "Split", ["MurmurMachines", "MurmurWire", "MurmurCompute"]),
    // Feeds
    room("Feeds", "Streams", ["MurmurWire", "MurmurIdentity", crypto]),
    room("Feeds", "Feeds", ["MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurStreams"]),
    room("Feeds", "Ledger", ["MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    // Peer
    room(
      "Peer", "Peer",
      [
        "MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurPubSub", "MurmurBlocks", "MurmurCollective", "MurmurSessions",
        "MurmurLedger", "MurmurStreams", "MurmurFeeds", "MurmurCompute",
      ]),
    // Worlds
    room("Worlds", "Scenario", ["MurmurMachines", "MurmurSessions", yams]),
    room("Worlds", "Library", ["MurmurDatasets", crypto]),
    room("Worlds", "Storage", ["MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurBlocks", grdb, nioConcurrency]),
    room(
      "Worlds", "Simulator",
      [
        "MurmurPeer", "MurmurScenario", "MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurPubSub", "MurmurBlocks",
        "MurmurCompute", "MurmurDatasets", "MurmurCollective", "MurmurSessions", "MurmurSplit", "MurmurLedger", "MurmurStreams",
        "MurmurFeeds",
      ]),
    room(
      "Worlds", "Host",
      [
        "MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurChannels", "MurmurKernels", "MurmurPeer", "MurmurCollective",
        "MurmurBlocks", "MurmurPubSub", "MurmurIdentify", "MurmurRouting", "MurmurDiscovery", "MurmurStorage", "MurmurSessions",
        "MurmurCompute", "MurmurSplit", nioCore, nioPosix, nioHTTP, nioConcurrency, log, metrics,
        "MurmurFeeds", "MurmurLedger", "MurmurStreams",
      ]),
    room("Worlds", "Control", ["MurmurWire", "MurmurIdentity", nioCore, nioPosix]),
    // Interfaces
    room("Interfaces", "Reports"),
    room(
      "Interfaces", "Commands",
      [
        "MurmurMachines", "MurmurCompute", "MurmurDatasets", "MurmurLibrary", "MurmurCollective", "MurmurScenario",
        "MurmurSimulator", "MurmurSplit", "MurmurReports", "MurmurSessions", "MurmurHost", "MurmurControl", "MurmurStorage",
        "MurmurPeer",
        "MurmurBlocks", "MurmurPubSub", "MurmurRouting", "MurmurIdentify", "MurmurIdentity", "MurmurWire", nioCore, nioPosix, log,
        metrics, lifecycle, arguments,
        "MurmurFeeds", "MurmurStreams", "MurmurLedger",
      ]),
    .executableTarget(
      name: "murmur", dependencies: ["MurmurCommands"], path: "Sources/Interfaces/murmur", swiftSettings: strict),
    // Tests
    tests("Machines", ["MurmurMachines"]),
    tests(
      "Split",
      ["MurmurSplit", "MurmurSimulator", "MurmurScenario", "MurmurDatasets", "MurmurCompute", "MurmurMachines", "MurmurWire"]),
    tests("Streams", ["MurmurStreams", "MurmurMachines", "MurmurWire", "MurmurIdentity"], resources: [.copy("Vectors")]),
    tests("Feeds", ["MurmurFeeds", "MurmurStreams", "MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    tests("Wire", ["MurmurWire", "MurmurMachines"]),
    tests("Identity", ["MurmurIdentity", "MurmurWire", "MurmurMachines"]),
    tests("Channels", ["MurmurChannels", "MurmurMachines", "MurmurWire", "MurmurIdentity", crypto]),
    tests("Compute", ["MurmurCompute", "MurmurKernels", "MurmurMachines"]),
    tests("Datasets", ["MurmurDatasets", "MurmurCompute", "MurmurMachines"]),
    tests("PubSub", ["MurmurPubSub", "MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    tests("Identify", ["MurmurIdentify", "MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    tests("Routing", ["MurmurRouting", "MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    tests("Ledger", ["MurmurLedger", "MurmurSimulator", "MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    tests("Discovery", ["MurmurDiscovery", "MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    tests("Blocks", ["MurmurBlocks", "MurmurMachines", "MurmurWire", "MurmurIdentity"]),
    tests("Aggregation", ["MurmurAggregation", "MurmurCompute", "MurmurMachines", "MurmurSessions"]),
    tests(
      "Collective",
      [
        "MurmurCollective", "MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurBlocks", "MurmurCompute",
        "MurmurAggregation", "MurmurSessions",
      ]),
    tests(
      "Peer",
      [
        "MurmurPeer", "MurmurStorage", "MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurPubSub", "MurmurBlocks",
        "MurmurCompute", "MurmurCollective", "MurmurSessions", "MurmurLedger", "MurmurStreams", "MurmurFeeds",
      ]),
    tests("Scenario", ["MurmurScenario", "MurmurMachines", "MurmurSessions"]),
    tests("Library", ["MurmurLibrary", "MurmurDatasets", "MurmurCompute", "MurmurMachines"]),
    tests("Storage", ["MurmurStorage", "MurmurLedger", "MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurBlocks"]),
    tests("Reports", ["MurmurReports"]),
    tests(
      "Simulator",
      [
        "MurmurSimulator", "MurmurScenario", "MurmurPeer", "MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurPubSub",
        "MurmurBlocks", "MurmurCompute", "MurmurDatasets", "MurmurAggregation", "MurmurCollective", "MurmurSessions",
        "MurmurFeeds", "MurmurStreams",
      ]),
    tests(
      "Host",
      [
        "MurmurHost", "MurmurChannels", "MurmurDiscovery", "MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurIdentify",
        "MurmurBlocks", "MurmurCollective", "MurmurCompute", "MurmurPeer", "MurmurPubSub", "MurmurRouting", "MurmurSessions",
        "MurmurStorage", "MurmurSplit", "MurmurSimulator", nioCore, nioPosix, nioConcurrency, log, metrics,
        "MurmurFeeds", "MurmurLedger", "MurmurStreams",
      ]),
    tests("Control", ["MurmurControl", "MurmurMachines", "MurmurWire", "MurmurIdentity", nioCore, nioPosix]),
    tests(
      "Interop",
      [
        "MurmurHost", "MurmurChannels", "MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurBlocks", "MurmurCollective",
        "MurmurCompute", "MurmurPeer", "MurmurPubSub", "MurmurRouting", "MurmurSessions", nioCore, nioPosix, nioConcurrency,
      ],
      resources: [.copy("Peers")]),
    tests(
      "Commands",
      [
        "MurmurCommands", "MurmurCompute", "MurmurControl", "MurmurReports", "MurmurSplit",
        "MurmurHost", "MurmurIdentity", "MurmurMachines", "MurmurStreams", "MurmurWire", nioCore, nioPosix,
      ]),
    tests("House", []),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)

// `make fuzz` builds everything with libFuzzer's counters, and this program, which nobody else needs.
if Context.environment["MURMUR_FUZZ_BUILD"] != nil {
  package.targets.append(
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "MurmurMachines", "MurmurWire", "MurmurIdentity", "MurmurChannels", "MurmurIdentify", "MurmurPubSub", "MurmurRouting",
        "MurmurBlocks", "MurmurCollective", "MurmurCompute", "MurmurDatasets", "MurmurPeer", "MurmurScenario", "MurmurSessions",
        "MurmurSplit", "MurmurStorage", "MurmurFeeds", "MurmurLedger", "MurmurStreams", "MurmurDiscovery", "MurmurControl",
        "MurmurHost", nioCore,
      ], path: "Fuzz", swiftSettings: strict))
}
