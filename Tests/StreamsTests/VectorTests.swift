import Foundation
import MurmurStreams
import MurmurWire
import Testing

/// The file that lets others check their implementation: `Vectors/streams.json`, made with `MURMUR_UPDATE=1`.
struct VectorTests {
  static let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/streams.json")

  static func hex(_ bytes: [UInt8]) -> String { String(Multibase.base16.encode(bytes).dropFirst()) }

  static func bytes(_ text: String) throws -> [UInt8] {
    // Our decoder takes short texts only.
    let digits = Array(text)
    return try stride(from: 0, to: digits.count, by: 512).flatMap {
      try Multibase.decode("f" + String(digits[$0..<min($0 + 512, digits.count)]))
    }
  }

  /// Streams of every mode, with keys that everybody may know.
  static func make() -> JSONValue {
    let seed = Digest.sha256(of: Array("murmur test vector seed".utf8))
    let key = Digest.sha256(of: Array("murmur test vector side key".utf8))
    let streams = StreamMode.allCases.map { mode -> JSONValue in
      var writer = StreamWriter(
        seed: StreamSeed(seed), mode: mode, height: 2, side: mode == .restricted ? SideKey(key) : nil)
      var members: [(key: String, value: JSONValue)] = [
        ("mode", .string(mode.name)), ("height", .number("2")), ("seed", .string(hex(seed.bytes))),
        ("channel", .string(hex(writer.channel.bytes))), ("pointer", .string(hex(writer.pointer.encoded))),
        ("pointerText", .string(writer.pointer.text)),
      ]
      if mode == .restricted { members.append(("sideKey", .string(hex(key.bytes)))) }
      let sensor = Sensor(id: "soil-7", columns: ["moisture", "temperature"])
      if let head = writer.head(sensor, session: "farm", milliseconds: 1_700_000_000_000) {
        members.append(
          ("head", .object([("session", .string("farm")), ("tag", .string(hex(head.tag))), ("bytes", .string(hex(head.bytes)))])))
      }
      let messages = (0..<6).map { number -> JSONValue in
        let payload = "{\"first\":\(2 * number),\"rows\":[\"0.\(number),20\",\"0.\(number)5,21\"]}"
        let sealed = writer.seal(Array(payload.utf8), milliseconds: UInt64(1_700_000_000_000 + 1_000 * number))
        return .object([
          ("number", .number("\(number)")), ("address", .string(hex(sealed.address.bytes))), ("payload", .string(payload)),
          ("bytes", .string(hex(sealed.bytes))),
        ])
      }
      members.append(("messages", .array(messages)))
      return .object(members)
    }
    return .object([("format", .string("murmur/stream/1")), ("streams", .array(streams))])
  }

  @Test func `the vectors are what this implementation makes, and it reads them`() throws {
    if ProcessInfo.processInfo.environment["MURMUR_UPDATE"] == "1" {
      let text = Self.make().text.replacing(",\"", with: ",\n\"").replacing("{\"number", with: "\n{\"number")
      try Data((text + "\n").utf8).write(to: Self.path)
    }
    let file = try JSONValue.parse(Array(try Data(contentsOf: Self.path)))
    let made = Self.make()
    let (streams, ours) = (file["streams"]?.array ?? [], made["streams"]?.array ?? [])
    #expect(streams.count == 3 && ours.count == 3)
    for (stream, own) in zip(streams, ours) {
      for key in ["mode", "channel", "pointer", "pointerText"] { #expect(stream[key] == own[key], "\(key)") }
      let text = try #require(stream["pointerText"]?.string)
      var sides: [SideKey] = []
      if let text = stream["sideKey"]?.string {
        let bytes = try Self.bytes(text)
        sides = [SideKey(try #require(Digest(bytes)))]
      }
      var reader = StreamReader(try StreamPointer(text: text), sides: sides)
      for (message, other) in zip(stream["messages"]?.array ?? [], own["messages"]?.array ?? []) {
        #expect(message["address"] == other["address"])
        let place = try Self.bytes(try #require(message["address"]?.string))
        let address = try #require(Digest(place))
        let bytes = try Self.bytes(try #require(message["bytes"]?.string))
        let opened = try reader.open(bytes, at: address)
        #expect(String(decoding: opened.payload, as: UTF8.self) == message["payload"]?.string)
        #if os(Linux)
        // Elsewhere signatures of the same text differ from time to time.
        #expect(message["bytes"] == other["bytes"])
        #endif
      }
      if let head = stream["head"]?["bytes"]?.string {
        #expect(try StreamHead.open(try Self.bytes(head), session: "farm", side: sides.first).sensor.id == "soil-7")
      }
    }
  }
}
