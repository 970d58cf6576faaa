import MurmurFeeds
import MurmurIdentity
import MurmurMachines
import MurmurStreams
import MurmurWire
import Testing

/// A stream whose owner writes what no ``StreamWriter`` would: trees of one leaf, any numbers, properly signed.
struct Hostile {
  let seed: String

  init(_ seed: String) { self.seed = seed }

  static let domain = "murmur/stream/1 "
  static func big<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> Number($0)) }
  }

  func keys(_ number: UInt64) -> KeyPair { KeyPair(seed: .sha256(of: Array("\(seed) \(number)".utf8))) }
  func root(_ number: UInt64) -> Digest { .sha256(of: [0] + keys(number).publicKey.data) }
  func address(_ number: UInt64) -> [UInt8] {
    Digest.sha256(of: Array((Self.domain + "public address").utf8) + root(number).bytes + [0, 0]).bytes
  }

  func pointer(_ number: UInt64) -> [UInt8] { [1, 0, 0] + Self.big(number) + root(number).bytes }

  /// A head that leads to a message of any number.
  func head(_ id: String, number: UInt64, columns: [String] = [], created: Int = 1) -> [UInt8] {
    let names = columns.map { JSONValue.quote($0) }.joined(separator: ",")
    let text =
      "{\"session\":\"farm\",\"id\":\(JSONValue.quote(id)),\"created\":\(created),\"mode\":\"public\","
      + "\"channel\":\"\(Multibase.base16.encode(root(0).bytes))\",\"format\":\"json\",\"columns\":[\(names)],"
      + "\"begin\":\"stream1\(Multibase.base32.encode(pointer(number)))\"}"
    let keys = keys(0)
    let body = [0] + keys.publicKey.data + Self.big(UInt32(text.utf8.count)) + Array(text.utf8)
    let tag = Array("farm".utf8)
    let signature = keys.sign(Array((Self.domain + "head").utf8) + Self.big(UInt16(tag.count)) + tag + body)
    return [0x10] + body + signature
  }

  /// A message of any number.
  func message(_ number: UInt64, _ payload: String) -> [UInt8] {
    let keys = keys(number)
    var body: [UInt8] = [0] + Self.big(number) + Self.big(UInt64(7))
    body += keys.publicKey.data + root(number + 1).bytes
    body += Self.big(UInt32(payload.utf8.count)) + Array(payload.utf8)
    let signed = Array((Self.domain + "message").utf8) + root(number).bytes + address(number) + body
    return [0x10] + body + keys.sign(signed)
  }
}

/// Sensors that mean ill, and what is to be done for whom.
@Suite struct HostileStories {
  private func heard(_ head: [UInt8]) -> Reading {
    var reading = Reading()
    reading.step(.started)
    reading.publish(Array("farm".utf8), head)
    return reading
  }

  @Test func `numbers at the edge of all numbers are refused, or read, and never trap`() throws {
    let hostile = Hostile("edge")
    let last = UInt64(UInt32.max) - 1
    for number in [UInt64.max, .max - 1, 1 << 63, last + 1] as [UInt64] {
      var reading = heard(hostile.head("s", number: number))
      #expect(reading.harvest.badHeads == 1 && reading.harvest.sensors.isEmpty)
      #expect(throws: StreamError.self) { try StreamPointer(encoded: hostile.pointer(number)) }
      reading.pass(60)
    }
    var reading = heard(hostile.head("s", number: last - 1))
    #expect(reading.kinds(of: "s") == [.found])
    let payload = "{\"first\":0,\"rows\":[[1,2]]}"
    reading.publish(hostile.address(last - 1), hostile.message(last - 1, payload))
    #expect(reading.rows.count == 1 && reading.harvest.sensors[0].state.pointer.number == last)
    // After the very last no stream goes on.
    reading.publish(hostile.address(last), hostile.message(last, payload))
    #expect(reading.rows.count == 1)
    let kept = try #require(reading.states.last)
    #expect(try FeedState(encoded: kept.encoded) == kept)
    // A head far on leads there, and the gap is counted.
    var near = heard(hostile.head("s", number: 0))
    near.publish(Array("farm".utf8), hostile.head("s", number: last, created: 2))
    near.pass(31)
    near.pass(31)
    #expect(near.harvest.sensors[0].state.pointer.number == last && near.harvest.sensors[0].state.lost == last)
  }

  @Test func `rows beyond all numbers, and more fields than a message could hold, are refused`() throws {
    let hostile = Hostile("rows")
    let columns = (0..<1_024).map { "c\($0)" }
    for payload in [
      "{\"first\":18446744073709551615,\"rows\":[[1],[2]]}",
      "{\"first\":0,\"rows\":[\(repeatElement("{}", count: 4_096).joined(separator: ","))]}",
    ] {
      var reading = heard(hostile.head("s", number: 5, columns: columns))
      reading.publish(hostile.address(5), hostile.message(5, payload))
      #expect(reading.rows.isEmpty && reading.kinds(of: "s").count == 2 && reading.harvest.sensors[0].failures == 1)
      reading.publish(hostile.address(6), hostile.message(6, "{\"first\":18446744073709551613,\"rows\":[{\"c1\":3},{}]}"))
      #expect(reading.rows.first?.rows[0].fields.prefix(3) == ["", "3", ""])
      let kept = try #require(reading.rows.first)
      #expect(try FeedRows(encoded: kept.encoded).rows == kept.rows)
    }
  }

  @Test func `names that cannot be told apart, or shown, are no names`() throws {
    let hostile = Hostile("names")
    #expect(heard(hostile.head("s", number: 0, columns: ["a", "b", "a"])).harvest.badHeads == 1)
    for id in ["a\u{1b}[2Jb", "a\nb", "\u{202e}a", "\u{0}"] {
      #expect(heard(hostile.head(id, number: 0)).harvest.badHeads == 1)
    }
    #expect(heard(hostile.head("Boden-7 Süd", number: 0)).harvest.sensors.count == 1)
    // What is told of another's words is short and plain.
    let rude = "{\"\\u001b[31m\(String(repeating: "x", count: 9_000))\" 1}"
    var all = heard(hostile.head("s", number: 0))
    all.publish(hostile.address(0), hostile.message(0, rude))
    let told = try #require(all.reports.last).description
    #expect(told.isPrintable && told.unicodeScalars.count < 300, "\(told)")
    #expect("a\u{1b}b".printable == "a·b" && String(repeating: "é", count: 90).printable.count == 81)
  }

  @Test func `a gateway works for what is of a stream, and of the sensors that a session names`() throws {
    var (source, masked, stranger) = (Source("s"), Source("m", mode: .restricted), Source("x"))
    let open = StreamAdmission(session: "farm", sides: [Reading.side])
    let strict = StreamAdmission(
      session: "farm", sides: [Reading.side], allowed: [("s", source.writer.channel), ("m", masked.writer.channel)])
    for head in [source.head(), masked.head()].compactMap(\.self) {
      #expect(open.admits(head.tag, head.bytes) && strict.admits(head.tag, head.bytes))
      #expect(!open.admits(head.tag, Array(head.bytes.dropLast())))
    }
    let other = try #require(stranger.head())
    #expect(open.admits(other.tag, other.bytes) && !strict.admits(other.tag, other.bytes))
    for _ in 0..<9 {
      let (one, two) = (source.message(), masked.message())
      #expect(open.admits(one.address.bytes, one.bytes) && open.admits(two.address.bytes, two.bytes))
      #expect(!open.admits(two.address.bytes, one.bytes), "a message at another's place")
      var spoilt = one.bytes
      spoilt[40] ^= 1
      #expect(!open.admits(one.address.bytes, spoilt))
    }
    _ = stranger.message()
    for noise: [UInt8] in [[], [0x10], [0x11], [1, 2, 3], [UInt8](repeating: 0x10, count: 400)] {
      #expect(
        !open.admits(source.writer.channel.bytes, noise) && !open.admits(Array("farm".utf8), noise) && !open.admits([], noise))
    }
  }
}
