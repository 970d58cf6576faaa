import Foundation
import MurmurCompute
import MurmurMachines
import Testing

/// Models as safetensors files: canonical bytes, honest errors, no crash on anything, and Python reads them.
@Suite struct SafeTensorsTests {
  static let models = [
    "64-64-10", "28-64-64-2", "784-16-10 tanh", "autoencoder 20-8-20 sigmoid", "regression 5-1", "lenet5", "3-2",
  ]

  @Test(arguments: models) func aModelComesBackAsItWas(text: String) throws {
    let architecture = try Architecture(parsing: text)
    let parameters = architecture.initialParameters(seed: 3)
    let metadata = ["author": "peer \"7\" \\ \u{1}\n", "zähler": "12", "a": ""]
    for notes in [[:], metadata] {
      let bytes = SafeTensors.encode(parameters, architecture, metadata: notes)
      #expect(bytes.count % 4 == 0 && bytes == SafeTensors.encode(parameters, architecture, metadata: notes))
      for expected in [nil, architecture, try Architecture(parsing: "4-4-4")] {
        let (found, values, read) = try SafeTensors.decode(bytes, expected: expected)
        #expect(found == architecture && values == parameters && read == notes)
      }
    }
  }

  @Test func tensorsInAnyOrderAndAtAnyAlignmentAreRead() throws {
    let architecture = try Architecture(parsing: "3-2")
    // Bias first, and a header whose length is no multiple of four.
    let header = """
      {"layers.0.bias" : {"shape":[ 2 ],"dtype":"F32","data_offsets":[0,8]},
       "layers.0.weight":{"data_offsets":[8,32],"dtype":"F32","shape":[2,3]}, "__metadata__":{"architecture":"3-2","\\u00e9":"\\ud83d\\ude00"}}
      """
    for padding in 0..<8 {
      let text = Array((header + String(repeating: " ", count: padding)).utf8)
      var bytes = unsafe withUnsafeBytes(of: UInt64(text.count).littleEndian) { unsafe Array($0) } + text
      for value in [Float(10), 20, 1, 2, 3, 4, 5, 6] { unsafe bytes += withUnsafeBytes(of: value) { unsafe Array($0) } }
      let (found, values, metadata) = try SafeTensors.decode(bytes)
      #expect(found == architecture && metadata == ["é": "😀"])
      // In memory the weights are input-major.
      #expect(values.array == [1, 4, 2, 5, 3, 6, 10, 20])
    }
  }

  @Test(arguments: [
    ("", "ends before"), ("{", "ends within"), ("{}", "no __metadata__"), ("[]", "expected '{'"),
    (#"{"__metadata__":{"architecture":"3-"}}"#, "not a layer width"), (#"{"__metadata__":{"a":"b"}}"#, "another program"),
    (#"{"__metadata__":{"architecture":"3-2"}}"#, "0 tensors; 3-2 has 2"),
    (#"{"__metadata__":{"architecture":"3-2","architecture":"3-2"}}"#, "a second metadata key"),
    (#"{"layers.0.bias":{"dtype":"F16","shape":[2],"data_offsets":[0,8]}}"#, "only F32"),
    (#"{"layers.0.bias":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#, "two numbers"),
    (#"{"x":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}"#, "above 2^40"),
    (
      #"{"layers.0.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"layers.0.weight":{"dtype":"F32","shape":[3,2],"#
        + #""data_offsets":[8,32]},"__metadata__":{"architecture":"3-2"}}"#, "has shape [3, 2]; 3-2 wants [2, 3]"
    ),
    (
      #"{"layers.0.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"layers.0.weight":{"dtype":"F32","shape":[2,3],"#
        + #""data_offsets":[0,24]},"__metadata__":{"architecture":"3-2"}}"#, "overlap or leave a gap"
    ),
  ]) func errorsSayWhatIsWrong(header: String, message: String) {
    var bytes: [UInt8] = []
    if !header.isEmpty {
      bytes =
        unsafe withUnsafeBytes(of: UInt64(header == "{" ? 9 : header.utf8.count).littleEndian) { unsafe Array($0) }
        + Array(header.utf8)
    }
    let error = #expect(throws: SafeTensorsError.self) { try SafeTensors.decode(bytes) }
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
  }

  @Test func hostileLengthsAreRefused() throws {
    let architecture = try Architecture(parsing: "3-2")
    var bytes = SafeTensors.encode(architecture.initialParameters(seed: 1), architecture)
    #expect(throws: SafeTensorsError.self) { try SafeTensors.decode(bytes.dropLast()) }
    #expect(throws: SafeTensorsError.self) { try SafeTensors.decode(bytes + [0]) }
    for index in 0..<8 { bytes[index] = 0xff }
    #expect(throws: SafeTensorsError.self) { try SafeTensors.decode(bytes) }
  }

  /// Damaged files: cut, spliced, bits flipped, header pieces swapped. 20,000, or as many as `MURMUR_FUZZ` says.
  @Test func nothingCrashesTheDecoder() throws {
    let count = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap(Int.init) ?? 20_000
    let seed: UInt64 = 51
    var sampling = Sampling(seed)
    let sources = try ["3-2", "5-4-3 tanh", "autoencoder 4-2-4"].map { text in
      let architecture = try Architecture(parsing: text)
      return SafeTensors.encode(architecture.initialParameters(seed: 1), architecture, metadata: ["k": "v\"\u{7}", "é": "😀"])
    }
    let pieces = [
      "{", "}", "[", "]", ",", ":", "\"", "\\u", "\\ud800", "0", "99999999999", "null", "__metadata__", "1e9", " ", "\u{0}", "-1",
    ]
    var read = 0
    for round in 0..<count {
      var bytes = sources[round % sources.count]
      for _ in 0...sampling.chance.below(4) {
        let at = sampling.chance.below(max(1, min(bytes.count, sampling.chance.happens(0.8) ? 400 : bytes.count)))
        switch sampling.chance.below(6) {
        case 0: bytes = Array(bytes.prefix(at))
        case 1: if at < bytes.count { bytes[at] ^= UInt8(1 << sampling.chance.below(8)) }
        case 2: bytes.insert(contentsOf: Array(pieces[sampling.chance.below(pieces.count)].utf8), at: min(at, bytes.count))
        case 3: if at < bytes.count { bytes.removeSubrange(at..<min(bytes.count, at + 1 + sampling.chance.below(20))) }
        case 4:
          let from = sampling.chance.below(max(1, bytes.count))
          bytes.insert(contentsOf: Array(bytes[from..<min(bytes.count, from + 30)]), at: min(at, bytes.count))
        default: if bytes.count > 8 { bytes[sampling.chance.below(8)] = UInt8(truncatingIfNeeded: sampling.chance.next()) }
        }
      }
      // Often the length is put right again, so that the header's inside is reached.
      if bytes.count > 9, sampling.chance.happens(0.7), let brace = bytes.lastIndex(of: UInt8(ascii: "}")), brace > 8 {
        var length = UInt64(brace - 7)
        for index in 0..<8 {
          bytes[index] = UInt8(truncatingIfNeeded: length)
          length >>= 8
        }
      }
      do {
        let (architecture, parameters, _) = try SafeTensors.decode(bytes)
        #expect(parameters.count == architecture.parameterCount, "seed \(seed), round \(round)")
        read += 1
      } catch {
        if error.offset < 0 || error.offset > bytes.count { Issue.record("seed \(seed), round \(round): \(error)") }
      }
    }
    #expect(read > 0 && read < count, "some damage is harmless, most is not")
  }

  /// Python's own library opens what we write: names, shapes and values. Where Python or its package is missing the test says so and is
  /// skipped, but never in CI.
  @Test func pythonOpensAModel() throws {
    let architecture = try Architecture(parsing: "7-5-3")
    let parameters = architecture.initialParameters(seed: 9)
    let path = FileManager.default.temporaryDirectory.appending(
      path: "murmur-\(ProcessInfo.processInfo.processIdentifier).safetensors")
    try Data(SafeTensors.encode(parameters, architecture, metadata: ["who": "me"])).write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    let script = """
      import sys
      try:
        from safetensors import safe_open
        import numpy
      except ImportError as e:
        print("missing", e); sys.exit(0)
      with safe_open(sys.argv[1], "numpy") as f:
        print(f.metadata()["architecture"], f.metadata()["who"], sorted(f.keys()))
        w = f.get_tensor("layers.0.weight"); b = f.get_tensor("layers.1.bias")
        print(w.shape, b.shape, w.dtype, float(w[4, 6]).hex(), float(w[0, 1]).hex(), float(b[2]).hex())
      """
    let output = Pipe()
    let python = Process()
    python.executableURL = URL(filePath: "/usr/bin/env")
    // `make` names the one that it has set up.
    python.arguments = [ProcessInfo.processInfo.environment["MURMUR_PYTHON"] ?? "python3", "-c", script, path.path]
    python.standardOutput = output
    var text = "missing python3"
    do {
      try python.run()
      text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      python.waitUntilExit()
      if python.terminationStatus == 127 { text = "missing python3" }
    } catch { text = "missing \(error)" }
    if text.hasPrefix("missing") {
      if ProcessInfo.processInfo.environment["CI"] == "true" {
        Issue.record("python3 with the packages safetensors and numpy must be installed in CI: \(text)")
      } else {
        print("NOT TESTED: python3 with the packages safetensors and numpy is not there (\(text))")
      }
      return
    }
    // weight[o][i] lies at i * outputs + o of the flat vector; the second bias is at the end.
    func look(_ value: Float) -> String { text.contains(hexadecimal(value)) ? "found" : "\(value) is not in: \(text)" }
    #expect(text.contains("7-5-3 me ['layers.0.bias', 'layers.0.weight', 'layers.1.bias', 'layers.1.weight']"), "\(text)")
    #expect(text.contains("(5, 7) (3,) float32"), "\(text)")
    #expect(look(parameters[6 * 5 + 4]) == "found" && look(parameters[5]) == "found")
    #expect(look(parameters[parameters.count - 1]) == "found")
  }

  /// The number as Python's `float.hex` writes it.
  private func hexadecimal(_ value: Float) -> String {
    let double = Double(value)
    let mantissa = String(double.significandBitPattern, radix: 16)
    return
      "\(double < 0 ? "-" : "")0x1.\(String(repeating: "0", count: 13 - mantissa.count))\(mantissa)p\(double.exponent >= 0 ? "+" : "")"
      + "\(double.exponent)"
  }
}
