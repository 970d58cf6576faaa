import MurmurControl
import MurmurMachines
import NIOCore
import Testing

@Suite("Frames of a control socket")
struct FrameTests {
  static let frames: [ControlFrame] = [
    .request(Array("{\"version\":1}".utf8)), .bytes([UInt8](repeating: 7, count: 3_000)), .bytes([]), .end,
    .note(Array("{}".utf8)), .answer(Array("[]".utf8)), .failure("no peer runs there"),
  ]

  @Test("What is written is read again, however the bytes are cut")
  func roundTrip() throws {
    var chance = Chance(seed: 5)
    var whole = ByteBuffer()
    for frame in FrameTests.frames { frame.write(to: &whole) }
    var (read, arrived) = ([ControlFrame](), ByteBuffer())
    while let piece = whole.readSlice(length: min(whole.readableBytes, 1 + chance.below(900))), piece.readableBytes > 0 {
      arrived.writeImmutableBuffer(piece)
      while let frame = try ControlFrame.read(from: &arrived) { read.append(frame) }
    }
    #expect(read == FrameTests.frames && arrived.readableBytes == 0, "seed 5")
  }

  @Test(
    "A frame longer than is allowed, or of no known kind, is refused before its bytes come",
    arguments: [
      [1, 0, 0x10, 0, 1], [4, 0, 0x10, 0, 1], [5, 0, 0, 0, 1], [0, 0, 0, 0, 0], [7, 0, 0, 0, 0], [255, 255, 255, 255, 255],
    ])
  func refuses(head: [UInt8]) {
    var buffer = ByteBuffer(bytes: head)
    #expect(throws: ControlError.self) { try ControlFrame.read(from: &buffer) }
  }

  @Test("No bytes crash the reader, and what it reads can be written again")
  func fuzz() {
    var chance = Chance(seed: 11)
    var seeds: [[UInt8]] = []
    for frame in FrameTests.frames {
      var buffer = ByteBuffer()
      frame.write(to: &buffer)
      seeds.append(Array(buffer.readableBytesView))
    }
    for round in 0..<Effort.inputs {
      var buffer = ByteBuffer(bytes: mutated(seeds[round % seeds.count] + seeds[(round / 7) % seeds.count], &chance))
      do {
        while let frame = try ControlFrame.read(from: &buffer) {
          var again = ByteBuffer()
          frame.write(to: &again)
          if case .failure = frame { continue }
          #expect(try ControlFrame.read(from: &again) == frame, "seed 11, round \(round)")
        }
      } catch { continue }
    }
  }
}
