import Foundation
import Testing

/// A real peer's life, recorded at its sockets and lived again without them.
@Suite("Recording and replay", .serialized)
struct ReplayTests {
  private static let scenario = """
    name: recorded
    seed: 11
    peers: {count: 2}
    session: {cycle: 200 ms, length: 4 s}
    faults:
      - link: {loss: 10 %, delay: 5 ms, duplication: 5 %, reordering: 5 %, corruption: 2 %}
      - slow: {peers: [0], factor: 2}

    """

  @Test("Two peers on lossy links are recorded; each, told the same again, wants the same at every step")
  func livesAgain() throws {
    let folder = try Folder()
    try folder.write(ReplayTests.scenario, to: "s.yaml")
    let begins = "\(Date().timeIntervalSince1970 + 1)"
    let first = try RunningProgram(
      folder,
      ["peer", "--session", "s.yaml", "--number", "0", "--begins", begins, "--record", "zero", "--until-over", "--json"]
        + ["--listen", "/ip4/127.0.0.1/tcp/0"])
    let address = try first.address()
    let second = try Program(folder: folder).run(
      ["peer", "--session", "s.yaml", "--number", "1", "--begins", begins, "--record", "one", "--until-over", "--json"]
        + ["--listen", "/ip4/127.0.0.1/tcp/0", "--join", address, "--store", "store"])
    #expect(second.code == 0, "\(second.errors)")
    #expect(try first.end() == 0)

    let zero = try Program(folder: folder).run(["replay", "zero", "--steps", "0-3"])
    #expect(zero.code == 0 && zero.output.contains("every step wanted what it wanted then"), "\(zero.output)\(zero.errors)")
    #expect(zero.output.contains("0  ") && zero.output.contains("wants:"), "\(zero.output)")
    // The second has an identity of its own, and what it signed can only be signed again with its key.
    let without = try Program(folder: folder).run(["replay", "one"])
    #expect(without.code == 1 && without.errors.contains("--key"), "\(without.errors)")
    let one = try Program(folder: folder).run(["replay", "one", "--key", "store/identity.key", "--out", "model.safetensors"])
    #expect(one.code == 0 && folder.has("model.safetensors"), "\(one.output)\(one.errors)")
    let model = try #require(one.output.split(separator: "\n").first { $0.hasPrefix("model: ") }).dropFirst(7)
    #expect(second.output.contains(model), "the replay ends with the model that the peer had: \(model)")

    // On the same store it goes on, and so does its recording.
    let again = try Program(folder: folder).run(
      ["peer", "--session", "s.yaml", "--number", "1", "--begins", "\(Date().timeIntervalSince1970)", "--record", "two"]
        + ["--listen", "/ip4/127.0.0.1/tcp/0", "--store", "store", "--until-over", "--json"])
    #expect(again.code == 0, "\(again.errors)")
    let two = try Program(folder: folder).run(["replay", "two", "--key", "store/identity.key"])
    #expect(two.code == 0 && two.output.contains("every step"), "\(two.output)\(two.errors)")
  }

  @Test("A life that is told otherwise parts, and the step is named; what is no recording is refused")
  func parts() throws {
    let folder = try Folder()
    try folder.write(ReplayTests.scenario, to: "s.yaml")
    let finished = try Program(folder: folder).run(
      ["peer", "--session", "s.yaml", "--number", "0", "--record", "life", "--until-over", "--listen", "/ip4/127.0.0.1/tcp/0"])
    #expect(finished.code == 0, "\(finished.errors)")
    let path = folder.path + "/life"
    var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    // Of the scenario in its head: another seed is another life. Its length stays, its check does not.
    let place = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("seed: 11".utf8)) })
    bytes[place + 7] = UInt8(ascii: "2")
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let damaged = try Program(folder: folder).run(["replay", "life"])
    #expect(damaged.code == 1 && damaged.errors.contains("damaged"), "\(damaged.errors)")
    let none = try Program(folder: folder).run(["replay", "s.yaml"])
    #expect(none.code == 1 && none.errors.contains("no recording"), "\(none.errors)")
    let wrong = try Program(folder: folder).run(["replay", "life", "--steps", "9-3"])
    #expect(wrong.code == 1 && wrong.errors.contains("--steps 9-3"), "\(wrong.errors)")
  }
}
