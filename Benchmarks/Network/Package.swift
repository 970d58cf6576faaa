// swift-tools-version: 6.3
import PackageDescription

// Measures streams between two peers over the loopback interface, on their own and beside go-libp2p: see compare.py.
let package = Package(
  name: "network-bench",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "murmuration", path: "../.."),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    .executableTarget(
      name: "stream-bench",
      dependencies: [
        .product(name: "MurmurHost", package: "murmuration"), .product(name: "MurmurChannels", package: "murmuration"),
        .product(name: "MurmurIdentity", package: "murmuration"), .product(name: "MurmurWire", package: "murmuration"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ])
  ]
)
