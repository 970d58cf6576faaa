// swift-tools-version: 6.3
import PackageDescription

// Measures the store beside plain files: see README.md.
let package = Package(
  name: "storage-bench",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "murmuration", path: "../..")],
  targets: [
    .executableTarget(
      name: "storage-bench",
      dependencies: [
        .product(name: "MurmurStorage", package: "murmuration"), .product(name: "MurmurBlocks", package: "murmuration"),
      ])
  ]
)
