import MurmurMachines
import MurmurStreams
import MurmurWire
import Testing

/// Streams as their makers and readers see them.
struct StreamTests {
  static let side = SideKey(.sha256(of: Array("side key".utf8)))
  static let newSide = SideKey(.sha256(of: Array("another side key".utf8)))
  static let sensor = Sensor(id: "soil-7", columns: ["moisture", "temperature"])

  static func seed(_ name: String) -> StreamSeed { StreamSeed(.sha256(of: Array(name.utf8))) }

  static func writer(_ mode: StreamMode, height: Int = 2, number: UInt64 = 0) -> StreamWriter {
    StreamWriter(seed: seed("stream"), mode: mode, height: height, number: number, side: mode == .restricted ? side : nil)
  }

  static func payload(_ number: Int) -> [UInt8] { Array("{\"first\":\(50 * number),\"rows\":[\"0.\(number),20\"]}".utf8) }

  @Test(arguments: StreamMode.allCases, [0, 1, 2, 5])
  func `a reader follows a stream over many trees from where it began`(mode: StreamMode, height: Int) throws {
    var writer = Self.writer(mode, height: height)
    var reader = StreamReader(writer.pointer, sides: mode == .restricted ? [Self.side] : [])
    for number in 0..<(height == 5 ? 70 : 19) {
      let sealed = writer.seal(Self.payload(number), milliseconds: UInt64(1_000 * number))
      #expect(reader.addresses == [sealed.address])
      let message = try reader.open(sealed.bytes, at: sealed.address)
      #expect(
        message == StreamMessage(number: UInt64(number), milliseconds: UInt64(1_000 * number), payload: Self.payload(number)))
    }
    #expect(reader.pointer.number == writer.pointer.number && reader.pointer.root == writer.pointer.root)
  }

  @Test(arguments: StreamMode.allCases) func `a writer that was killed goes on from its number alone`(mode: StreamMode) throws {
    for stop in 0...9 {
      var whole = Self.writer(mode)
      for number in 0..<stop { _ = whole.seal(Self.payload(number), milliseconds: 5) }
      var again = Self.writer(mode, number: UInt64(stop))
      #expect(again.pointer == whole.pointer && again.channel == whole.channel)
      let (one, other) = (whole.seal([1], milliseconds: 5), again.seal([1], milliseconds: 5))
      #expect(one.address == other.address)
    }
  }

  @Test(arguments: [StreamMode.public, .restricted]) func `a head leads to the next message, wherever the stream is`(
    mode: StreamMode
  ) throws {
    var writer = Self.writer(mode)
    for number in 0..<11 {
      let head = try #require(writer.head(Self.sensor, session: "farm", milliseconds: 77))
      let side = mode == .restricted ? Self.side : nil
      #expect(head.tag == StreamHead.tag(of: "farm", side: side))
      let opened = try StreamHead.open(head.bytes, session: "farm", side: side)
      #expect(opened.sensor == Self.sensor && opened.channel == writer.channel && opened.milliseconds == 77)
      #expect(opened.pointer.number == UInt64(number))
      var reader = StreamReader(opened.pointer, sides: [Self.side])
      let sealed = writer.seal(Self.payload(number), milliseconds: 1)
      do {
        let opened = try reader.open(sealed.bytes, at: sealed.address)
        #expect(opened.payload == Self.payload(number))
      }
      #expect(throws: StreamError.self) { try StreamHead.open(head.bytes, session: "city", side: side) }
    }
  }

  @Test func `a private stream has no head: its pointer is handed out`() throws {
    var writer = Self.writer(.private)
    #expect(writer.head(Self.sensor, session: "farm", milliseconds: 1) == nil)
    let text = writer.pointer.text
    let sealed = writer.seal(Self.payload(0), milliseconds: 1)
    var reader = StreamReader(try StreamPointer(text: text))
    do {
      let opened = try reader.open(sealed.bytes, at: sealed.address)
      #expect(opened.payload == Self.payload(0))
    }
  }

  // MARK: Who must not read cannot

  @Test(arguments: [StreamMode.private, .restricted])
  func `from message n on everything can be read, and nothing before`(mode: StreamMode) throws {
    var writer = Self.writer(mode)
    var all: [SealedMessage] = []
    var pointers: [StreamPointer] = []
    for number in 0..<12 {
      pointers.append(writer.pointer)
      all.append(writer.seal(Self.payload(number), milliseconds: 0))
    }
    for n in 0..<12 {
      var reader = StreamReader(pointers[n], sides: [Self.side])
      // Neither this place nor any that follows from it opens an earlier message; all later ones open.
      for _ in n..<12 {
        for earlier in 0..<n {
          #expect(throws: StreamError.self) {
            var pointer = reader.pointer
            _ = try StreamReader.open(all[earlier].bytes, at: all[earlier].address, of: &pointer, [Self.side])
          }
        }
        let place = Int(reader.pointer.number)
        do {
          let opened = try reader.open(all[place].bytes, at: all[place].address)
          #expect(opened.payload == Self.payload(place))
        }
      }
      // What the reader holds at the end names no earlier address.
      #expect(!reader.addresses.contains { address in all[..<n].contains { $0.address == address } })
    }
  }

  @Test func `without the side key neither a head nor an address can be worked out, and nothing but the size shows`() throws {
    var writer = Self.writer(.restricted)
    let pointer = writer.pointer
    let head = try #require(writer.head(Self.sensor, session: "farm", milliseconds: 1))
    let one = writer.seal(Self.payload(0), milliseconds: 1)
    let other = writer.seal(Self.payload(1), milliseconds: 1)
    #expect(throws: StreamError.self) { try StreamHead.open(head.bytes, session: "farm", side: nil) }
    #expect(throws: StreamError.locked) { try StreamHead.open(head.bytes, session: "farm", side: Self.newSide) }
    #expect(head.tag != Array("farm".utf8))
    var outsider = StreamReader(pointer, sides: [Self.newSide])
    #expect(!outsider.addresses.contains(one.address))
    #expect(throws: StreamError.self) { _ = try outsider.open(one.bytes, at: one.address) }
    // No text of the sensor, no key, no root, and nothing common to two messages.
    for bytes in [head.bytes, one.bytes] {
      for secret in [Array("soil-7".utf8), Array("rows".utf8), writer.channel.bytes, pointer.root.bytes] {
        #expect(!bytes.contains(secret))
      }
    }
    #expect(one.bytes.first == 0x11 && one.bytes.count == Self.payload(0).count + 1 + 28 + 1 + 8 + 8 + 32 + 64 + 64 + 4 + 64)
    #expect(zip(one.bytes.dropFirst(), other.bytes.dropFirst()).filter { $0 == $1 }.count < 12)
    // Private and restricted messages cannot be told apart.
    var hidden = Self.writer(.private)
    let third = hidden.seal(Self.payload(0), milliseconds: 1)
    #expect(third.bytes.first == one.bytes.first && third.bytes.count == one.bytes.count)
  }

  @Test func `after a new side key whoever has only the old one reads nothing more`() throws {
    var writer = Self.writer(.restricted)
    var revoked = StreamReader(writer.pointer, sides: [Self.side])
    var member = StreamReader(writer.pointer, sides: [Self.newSide, Self.side])
    let before = writer.seal(Self.payload(0), milliseconds: 0)
    for _ in [0] {
      _ = try revoked.open(before.bytes, at: before.address)
      _ = try member.open(before.bytes, at: before.address)
    }
    writer.side = Self.newSide
    let head = try #require(writer.head(Self.sensor, session: "farm", milliseconds: 1))
    #expect(throws: StreamError.self) { try StreamHead.open(head.bytes, session: "farm", side: Self.side) }
    for number in 1..<10 {
      let sealed = writer.seal(Self.payload(number), milliseconds: 0)
      #expect(!revoked.addresses.contains(sealed.address))
      #expect(throws: StreamError.self) { _ = try revoked.open(sealed.bytes, at: sealed.address) }
      do {
        let opened = try member.open(sealed.bytes, at: sealed.address)
        #expect(opened.number == UInt64(number))
      }
      // Even the ratchet, which the old key's holder can still turn, opens nothing.
      _ = revoked.skip()
    }
  }

  // MARK: What is not the stream's changes nothing

  @Test(arguments: StreamMode.allCases)
  func `forged, replayed, reordered and damaged messages are refused, and the reader stays where it is`(
    mode: StreamMode
  ) throws {
    var writer = Self.writer(mode)
    let sides = mode == .restricted ? [Self.side] : []
    var reader = StreamReader(writer.pointer, sides: sides)
    let messages = (0..<6).map { writer.seal(Self.payload($0), milliseconds: 0) }
    let address = messages[0].address
    var thief = StreamWriter(seed: Self.seed("thief"), mode: mode, height: 2, side: mode == .restricted ? Self.side : nil)
    let forged = thief.seal(Self.payload(0), milliseconds: 0)
    let place = reader.pointer
    func refuses(_ bytes: [UInt8], _ what: String) {
      #expect(throws: StreamError.self, "\(what)") { _ = try reader.open(bytes, at: address) }
      #expect(reader.pointer == place)
    }
    refuses(forged.bytes, "another's message at this address")
    for later in 1..<6 { refuses(messages[later].bytes, "message \(later) at the place of message 0") }
    for cut in 0..<messages[0].bytes.count { refuses(Array(messages[0].bytes.prefix(cut)), "cut to \(cut) bytes") }
    for index in messages[0].bytes.indices {
      var bytes = messages[0].bytes
      bytes[index] ^= 1 << UInt8(index % 8)
      refuses(bytes, "bit \(index % 8) of byte \(index) is wrong")
    }
    refuses(messages[0].bytes + [0], "a byte more")
    _ = try reader.open(messages[0].bytes, at: address)
    #expect(throws: StreamError.self, "a replay") { _ = try reader.open(messages[0].bytes, at: address) }
    _ = try reader.open(messages[1].bytes, at: messages[1].address)
  }

  @Test func `a message that is lost can be gone over, but not a whole tree`() throws {
    var writer = Self.writer(.private)
    var reader = StreamReader(writer.pointer)
    let messages = (0..<12).map { writer.seal(Self.payload($0), milliseconds: 0) }
    do {
      let opened = try reader.open(messages[0].bytes, at: messages[0].address)
      #expect(opened.number == 0)
    }
    for _ in 1..<4 {
      let could = reader.skip()
      #expect(could)
    }
    do {
      let opened = try reader.open(messages[4].bytes, at: messages[4].address)
      #expect(opened.number == 4)
    }
    var late = StreamReader(reader.pointer)
    for _ in 5..<8 {
      let could = late.skip()
      #expect(could)
    }
    // Message 4 said where tree 2 begins; of tree 3 only a message of tree 2 does.
    for _ in 8..<11 {
      let could = late.skip()
      #expect(could)
    }
    let could = late.skip()
    #expect(!could && late.pointer.number == 11)
  }

  @Test func `bytes from anywhere are read without a crash`() {
    var chance = Chance(seed: 5).fork("streams")
    var writer = Self.writer(.public)
    let head = writer.head(Self.sensor, session: "farm", milliseconds: 1)?.bytes ?? []
    let pointer = writer.pointer
    let bodies = [
      writer.seal(Self.payload(0), milliseconds: 0).bytes, head, pointer.encoded,
      Array(#"{"a":[1,-2.5e3,"x\u00e9",null,true]}"#.utf8),
    ]
    for round in 0..<20_000 {
      var bytes = bodies[round % bodies.count]
      for _ in 0...chance.below(4) {
        switch chance.below(3) {
        case 0: bytes[chance.below(max(1, bytes.count))] = UInt8(chance.below(256))
        case 1: bytes.removeLast(chance.below(bytes.count))
        default: bytes.insert(UInt8(chance.below(256)), at: chance.below(bytes.count + 1))
        }
        if bytes.isEmpty { bytes = [0] }
      }
      var reader = StreamReader(pointer)
      _ = try? reader.open(bytes, at: pointer.address())
      _ = try? StreamHead.open(bytes, session: "farm", side: nil)
      if let pointer = try? StreamPointer(encoded: bytes) { #expect((try? StreamPointer(text: pointer.text)) == pointer) }
      if let value = try? JSONValue.parse(bytes) {
        #expect((try? JSONValue.parse(Array(value.text.utf8))) == value, "seed 5, round \(round)")
      }
    }
  }

  @Test func `JSON is read as it was written, and only if it is JSON`() throws {
    for text in [#"{"first":12,"rows":["1,2",{"a":-0.5e-3}],"x":null}"#, "[]", "\"\\u0001\\n\"", "[true,false,0,10]"] {
      #expect(try JSONValue.parse(Array(text.utf8)).text == text)
    }
    #expect(try JSONValue.parse(Array(" { \"a\" : [ 1 , \"\\ud83d\\ude00\" ] } ".utf8)).text == "{\"a\":[1,\"😀\"]}")
    for text in ["", "{", "[1,]", "{\"a\"}", "01", "1.", "+1", "nul", "\"\u{1}\"", "\"\\ud83d\"", "[1] 2", "1e", "\"a", "{1:2}"] {
      #expect(throws: StreamError.self, "\(text)") { try JSONValue.parse(Array(text.utf8)) }
    }
    let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
    #expect(throws: StreamError.self) { try JSONValue.parse(Array(deep.utf8)) }
  }
}
