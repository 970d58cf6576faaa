import Foundation
import MurmurBlocks
import MurmurCollective
import MurmurCompute
import MurmurHost
import MurmurIdentity
import MurmurMachines
import MurmurPeer
import MurmurRouting
import MurmurSessions
import MurmurWire
import NIOCore
import NIOConcurrencyHelpers
import NIOPosix
import Testing

/// Objects exchanged with Kubo: files of any size, both versions of names, and models.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: RealPeer.installed.contains(.kubo), "Kubo is not installed"))
struct ObjectInterop {
  @Test(arguments: [true, false]) func `Kubo cats what we publish`(weDial: Bool) async throws {
    let real = try await RealPeer(.kubo)
    defer { real.stop() }
    let ours = try await OurNode("beside Kubo", tables: [.lan()])
    try await ours.meet(real, weDial: weDial)
    let folder = try TemporaryFolder()
    var chance = Chance(seed: 3)
    for size in [1_000, 700_000, 5_000_000] {
      let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
      let object = Object.build(bytes)
      try await ours.node.add(object)
      let got = try await real("get", ["cid": "\(object.root)", "path": folder.path("ours-\(size)")])
      #expect(got.isGood, "\(got.text)")
      #expect(try folder.bytes("ours-\(size)") == bytes, "\(size) bytes")
    }
    try await ours.stop()
  }

  @Test(arguments: [true, false]) func `files added in Kubo are fetched whole`(weDial: Bool) async throws {
    let real = try await RealPeer(.kubo)
    defer { real.stop() }
    let ours = try await OurNode("fetches beside Kubo", tables: [.lan()])
    try await ours.meet(real, weDial: weDial)
    let folder = try TemporaryFolder()
    var chance = Chance(seed: 4)
    for size in [20, 600_000, 7_000_001] {
      let bytes = (0..<size).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
      try Data(bytes).write(to: URL(filePath: folder.path("theirs")))
      let added = try await real("add", ["path": folder.path("theirs")])
      let name = try #require(added.value as? String, "\(added.text)")
      // Every block is compared with its name as it comes; the name is the one that we would have given.
      var importer = Importer(.kubo)
      var count = 0
      importer.append(bytes) { _ in count += 1 }
      #expect(importer.finish { _ in count += 1 }.name == name)
      let root = try CID(parsing: name)
      try await ours.node.fetch(root, within: .seconds(30))
      #expect(try await ours.node.read(root) == bytes, "\(size) bytes")
      #expect(try await ours.node.look { $0.exchange.statistics.blocksReceived } >= count)
    }
    try await ours.stop()
  }

  /// Kubo's kit adds files under names of version 0 only, so one of version 1 comes to it from a peer of ours that then leaves.
  @Test func `a file of version 1 that Kubo holds is fetched whole`() async throws {
    let real = try await RealPeer(.kubo)
    defer { real.stop() }
    var chance = Chance(seed: 5)
    let bytes = (0..<5_000_000).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
    let object = Object.build(bytes)
    let first = try await OurNode("brings it", tables: [.lan()])
    try await first.meet(real, weDial: true)
    try await first.node.add(object)
    let pinned = try await real("pin", ["cid": "\(object.root)"])
    #expect(pinned.isGood && pinned.value as? Int == 0, "\(pinned.text)")
    try await first.stop()

    let second = try await OurNode("fetches it", tables: [.lan()])
    try await second.meet(real, weDial: true)
    try await second.node.fetch(object.root, within: .seconds(30))
    #expect(try await second.node.read(object.root) == bytes)
    try await second.stop()
  }

  @Test(arguments: [true, false]) func `a model of a session is opened by Python's safetensors`(weDial: Bool) async throws {
    let real = try await RealPeer(.kubo)
    defer { real.stop() }
    // A thousand random rows of 200 features teach nothing, but train a model of several blocks.
    var session = Session()
    session.name = "interop"
    session.model = "200-500-200-10"
    session.cycle = .milliseconds(300)
    var chance = Chance(seed: 6)
    let samples = Samples(
      features: (0..<1_000 * 200).map { _ in Float(chance.uniform()) }, width: 200,
      labels: (0..<1_000).map { _ in Int32(chance.below(10)) }, classes: 10)
    let rows = Work.Rows(samples: samples, training: Array(0..<900), validation: Array(900..<1_000))
    let ours = try await OurNode("learns beside Kubo", tables: [.lan()], session: session, rows: rows)
    let published = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: CID.self)
    let first = NIOLockedValueBox(true)
    try await ours.node.witness { _, event in
      guard case .published(let root) = event else { return }
      let isFirst = first.withLockedValue { known in
        defer { known = false }
        return known
      }
      if isFirst { published.succeed(root) }
    }
    try await ours.meet(real, weDial: weDial)
    let root = try await published.futureResult.get()
    let folder = try TemporaryFolder()
    let got = try await real("get", ["cid": "\(root)", "path": folder.path("model.safetensors")])
    #expect(got.isGood, "\(got.text)")

    let architecture = try Architecture(parsing: session.model)
    let file = try await ours.node.read(root)
    #expect(try folder.bytes("model.safetensors") == file)
    #expect(Object.build(file).blocks.count > 3, "the model is of several blocks")
    let parameters = try ModelFile(file, architecture).parameters(architecture)
    #expect(parameters != architecture.initialParameters(seed: 1), "it was trained")
    let text = try await RealPeer.run("tensors.py", [folder.path("model.safetensors")], in: .kubo)
    let opened = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [String: Any]])
    #expect(opened["metadata"]?["architecture"] as? String == session.model)
    #expect(opened.count == architecture.ranges.count + 1)
    for tensor in architecture.ranges {
      let seen = try #require(opened[tensor.name], "Python sees no \(tensor.name)")
      #expect(seen["dtype"] as? String == "float32")
      #expect(seen["shape"] as? [Int] == tensor.shape)
      let bytes = Self.inFile(tensor, parameters).flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
      }
      #expect(seen["sha256"] as? String == RoutingInterop.hex(Digest.sha256(of: bytes).bytes), "\(tensor.name)")
    }
    try await ours.stop()
  }

  /// A tensor in the order of its shape.
  private static func inFile(_ tensor: NamedRange, _ parameters: ParameterVector) -> [Float] {
    let values = Array(parameters.array[tensor.range])
    guard tensor.transposed else { return values }
    let (outputs, inputs) = (tensor.shape[0], tensor.shape[1])
    return (0..<outputs).flatMap { output in (0..<inputs).map { values[$0 * outputs + output] } }
  }
}

/// A folder that is gone with the value that made it.
final class TemporaryFolder: Sendable {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "murmur-interop-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appending(path: name).path }

  func bytes(_ name: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(filePath: path(name)))) }
}
