import Foundation
import MurmurMachines
import MurmurStorage
import MurmurWire
import Testing

/// The file of a recording: what was written is read, what was cut off or garbled is noticed.
@Suite struct RecordingTests {
  private let header = Recording.Header(seed: 7, peer: [1, 2], context: randomBytes(100, seed: 1))

  private func entries(_ count: Int) -> [Recording.Entry] {
    (0..<count).map {
      Recording.Entry(
        time: Instant(nanoseconds: Int64($0) * 1_000 - 5), digest: .sha256(of: [UInt8(truncatingIfNeeded: $0)]),
        input: randomBytes(($0 * 37) % 3_000, seed: UInt64($0)))
    }
  }

  @Test func `entries come back from the file, and a file cut off ends where it was cut`() throws {
    let folder = try Folder("recording")
    let path = folder.path + "/life.murmur"
    let written = entries(500)
    do {
      var writer = try RecordingWriter(path, header)
      for entry in written { try writer.append(entry) }
      try writer.flush()
      #expect(SystemFiles().size(of: path) == writer.bytes)
    }
    #expect(try read(path) == written)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    for cut in [bytes.count - 1, bytes.count / 2, 30, 10, 0] {
      try Data(bytes[..<cut]).write(to: URL(filePath: path))
      var file = try RecordingFile(path)
      var count = 0
      while let entry = try file.next() {
        #expect(entry == written[count])
        count += 1
      }
      #expect(file.isCutOff && count < 500)
    }
  }

  @Test func `a recording stops at its limit`() throws {
    let folder = try Folder("recording-limit")
    let path = folder.path + "/life.murmur"
    var writer = try RecordingWriter(path, header, limit: 20_000)
    for entry in entries(500) { try writer.append(entry) }
    #expect(writer.isFull && (SystemFiles().size(of: path) ?? .max) <= 20_000)
    #expect(try read(path).count > 5)
  }

  @Test func `garbled recordings are refused where they are garbled, and never trap`() throws {
    let written = entries(6)
    let bytes = Recording.encode(header) + written.flatMap { Recording.encode($0) }
    var chance = Chance(seed: Effort.seed)
    var refused = 0
    for _ in 0..<Effort.inputs {
      var garbled = bytes
      for _ in 0...chance.below(2) {
        switch chance.below(3) {
        case 0: if !garbled.isEmpty { garbled[chance.below(garbled.count)] ^= UInt8(1 << chance.below(8)) }
        case 1: garbled.removeLast(chance.below(garbled.count + 1))
        default: garbled.insert(UInt8(chance.below(256)), at: chance.below(garbled.count + 1))
        }
      }
      var reader = RecordingReader()
      reader.append(garbled)
      do {
        var count = 0
        while let entry = try reader.next() {
          #expect(count < written.count && entry == written[count], "seed \(Effort.seed)")
          count += 1
        }
      } catch {
        refused += 1
      }
    }
    #expect(refused > Effort.inputs / 4)
  }

  private func read(_ path: String) throws -> [Recording.Entry] {
    var file = try RecordingFile(path)
    var found: [Recording.Entry] = []
    while let entry = try file.next() { found.append(entry) }
    #expect(file.header == header)
    return found
  }
}
