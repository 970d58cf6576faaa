// swift-tools-version: 6.3
import PackageDescription

// Measures the numeric kernels, on their own and beside PyTorch: see compare.py.
let package = Package(
  name: "compute-bench",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "murmuration", path: "../..")],
  targets: [
    .target(name: "Peak"),
    .executableTarget(name: "compute-bench", dependencies: ["Peak", .product(name: "MurmurCompute", package: "murmuration")]),
  ],
  cLanguageStandard: .c17
)
