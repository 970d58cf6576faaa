// swift-tools-version: 6.3
import PackageDescription

// Measures peers over the loopback interface, on their own and beside other implementations: see README.md.
let package = Package(
  name: "network-bench",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "murmuration", path: "../.."),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    .executableTarget(
      name: "stream-bench",
      dependencies: [
        .product(name: "MurmurHost", package: "murmuration"), .product(name: "MurmurChannels", package: "murmuration"),
        .product(name: "MurmurIdentity", package: "murmuration"), .product(name: "MurmurWire", package: "murmuration"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    .executableTarget(
      name: "node-bench",
      dependencies: [
        .product(name: "MurmurHost", package: "murmuration"), .product(name: "MurmurPeer", package: "murmuration"),
        .product(name: "MurmurCollective", package: "murmuration"), .product(name: "MurmurSessions", package: "murmuration"),
        .product(name: "MurmurCompute", package: "murmuration"), .product(name: "MurmurPubSub", package: "murmuration"),
        .product(name: "MurmurRouting", package: "murmuration"), .product(name: "MurmurStorage", package: "murmuration"),
        .product(name: "MurmurBlocks", package: "murmuration"), .product(name: "MurmurIdentity", package: "murmuration"),
        .product(name: "MurmurMachines", package: "murmuration"), .product(name: "MurmurWire", package: "murmuration"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
      ]),
  ]
)
