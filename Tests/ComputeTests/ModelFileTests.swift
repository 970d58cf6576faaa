import Foundation
import MurmurCompute
import MurmurMachines
import Testing

/// Files averaged where they lie: the same models, the same refusals and the same bits as taking them apart first.
@Suite struct ModelFileTests {
  static func file(_ architecture: Architecture, seed: UInt64, notes: [String: String] = ["cycle": "3", "peer": "12D"]) -> [UInt8]
  {
    SafeTensors.encode(architecture.initialParameters(seed: seed), architecture, metadata: notes)
  }

  @Test(arguments: ["64-64-10", "7-5-3 tanh", "lenet5", "autoencoder 20-8-20", "1-2"])
  func anAverageOfFilesIsTheAverageOfTheirModels(text: String) throws {
    let architecture = try Architecture(parsing: text)
    let models = (1...4).map { architecture.initialParameters(seed: $0) }
    let own = architecture.initialParameters(seed: 9)
    let files = try (1...4).map { try ModelFile(Self.file(architecture, seed: $0), architecture) }
    #expect(files.map { $0.parameters(architecture) } == models)
    var scratch: [ParameterVector] = []
    for count in [1, 3, 4, 2] {
      let weights = (0..<count).map { Float($0 + 1) / 16 }
      let alone = ModelFile.mean(of: Array(files[..<count]), weights: weights, own: nil, architecture, scratch: &scratch)
      #expect(alone == .mean(of: Array(models[..<count]), weights: weights))
      let together = ModelFile.mean(
        of: Array(files[..<count]), weights: weights, own: (own, 0.375), architecture, scratch: &scratch)
      #expect(together == .mean(of: models[..<count] + [own], weights: weights + [0.375]))
    }
  }

  @Test func aFileByAnotherWriterIsAveragedToo() throws {
    let architecture = try Architecture(parsing: "3-2")
    let header = """
      {"layers.0.bias":{"shape":[2],"dtype":"F32","data_offsets":[0,8]}, "__metadata__":{"architecture":"3-2"},
       "layers.0.weight":{"data_offsets":[8,32],"dtype":"F32","shape":[2,3]}}
      """
    var bytes = unsafe withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { unsafe Array($0) } + Array(header.utf8)
    for value in [Float(10), 20, 1, 2, 3, 4, 5, 6] { unsafe bytes += withUnsafeBytes(of: value) { unsafe Array($0) } }
    let foreign = try ModelFile(bytes, architecture)
    let ours = try ModelFile(Self.file(architecture, seed: 2), architecture)
    var scratch: [ParameterVector] = []
    let mean = ModelFile.mean(of: [foreign, ours], weights: [0.5, 0.5], own: nil, architecture, scratch: &scratch)
    let expected = ParameterVector.mean(
      of: [architecture.initialParameters(seed: 2), ParameterVector([1, 4, 2, 5, 3, 6, 10, 20])], weights: [0.5, 0.5])
    #expect(mean == expected)
  }

  @Test func aModelOfAnotherArchitectureIsNamed() throws {
    let (wanted, other) = (try Architecture(parsing: "3-2"), try Architecture(parsing: "2-3"))
    #expect { try ModelFile(Self.file(other, seed: 1), wanted) } throws: { "\($0)".contains("2-3, the session's is 3-2") }
  }

  /// The quick look at a header takes what the parser takes and nothing else. 20,000 damaged files, or as many as `MURMUR_FUZZ` says.
  @Test func theQuickLookAgreesWithTheParser() throws {
    let count = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap(Int.init) ?? 20_000
    let seed: UInt64 = 77
    var chance = Chance(seed: seed)
    let architecture = try Architecture(parsing: "5-4-3")
    let source = Self.file(architecture, seed: 1, notes: ["a": "1", "peer": "12D", "session": "digits"])
    let pieces = ["{", "}", ",", ":", "\"", "\\n", " ", "\u{0}", "5-4-3", "\"architecture\":\"5-4-3\"", "\"a\":\"1\",", "é"]
    var read = 0
    for round in 0..<count {
      var bytes = source
      for _ in 0...chance.below(2) {
        let at = chance.below(chance.happens(0.9) ? 360 : bytes.count)
        switch chance.below(4) {
        case 0: if at < bytes.count { bytes[at] = UInt8(chance.below(256)) }
        case 1: bytes.insert(contentsOf: Array(pieces[chance.below(pieces.count)].utf8), at: min(at, bytes.count))
        case 2: bytes.removeSubrange(min(at, bytes.count)..<min(bytes.count, at + 1 + chance.below(12)))
        default: bytes = chance.happens(0.1) ? Array(bytes.prefix(at)) : bytes
        }
      }
      if bytes.count > 9, chance.happens(0.8), let brace = bytes.lastIndex(of: UInt8(ascii: "}")), brace > 8 {
        // The header's length is put right again, and the header padded as a writer would.
        while (bytes.count - 4 * architecture.parameterCount) % 8 != 0 { bytes.insert(0x20, at: brace + 1) }
        let length = UInt64(max(bytes.count - 8 - 4 * architecture.parameterCount, 0))
        unsafe withUnsafeBytes(of: length.littleEndian) { for index in 0..<8 { bytes[index] = unsafe $0[index] } }
      }
      let quick = try? ModelFile(bytes, architecture)
      let slow = try? SafeTensors.decode(bytes, expected: architecture)
      let agreed = slow?.architecture == architecture ? slow?.parameters : nil
      #expect(quick?.parameters(architecture) == agreed, "seed \(seed), round \(round)")
      if quick != nil { read += 1 }
    }
    #expect(read > 0 && read < count, "some damage is harmless, most is not")
  }
}
