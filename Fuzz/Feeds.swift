import MurmurFeeds
import MurmurIdentity
import MurmurMachines
import MurmurStreams
import MurmurWire

/// Streams of sensors: their decoders, and the machine that reads them.
extension Target {
  static let feeds: [Target] = [
    Target("streams", seeds: { streamSeeds }) { bytes in
      var draw = Draw(bytes)
      let kind = draw.byte() % 5
      let rest = draw.rest()
      switch kind {
      case 0:
        var reader = StreamReader(writer.pointer)
        _ = try? reader.open(rest, at: writer.pointer.address())
      case 1: if let head = try? StreamHead.open(rest, session: "farm", side: nil) { precondition(head.sensor.id.isPrintable) }
      case 2:
        guard let pointer = try? StreamPointer(encoded: rest) else { return }
        precondition(
          (try? StreamPointer(encoded: pointer.encoded)) == pointer && (try? StreamPointer(text: pointer.text)) == pointer)
        var reader = StreamReader(pointer)
        for _ in 0..<3 where !reader.skip() { break }
        _ = reader.addresses
      case 3: _ = StreamAdmission(session: "farm").admits(Array(rest.prefix(32)), Array(rest.dropFirst(32)))
      default:
        if let state = try? FeedState(encoded: rest) { precondition((try? FeedState(encoded: state.encoded)) == state) }
        if let rows = try? FeedRows(encoded: rest) {
          precondition(rows.rows.isEmpty || rows.first <= .max - UInt64(rows.rows.count))
          precondition((try? FeedRows(encoded: rows.encoded))?.rows == rows.rows)
        }
      }
    },
    Target(
      "json", seeds: { [Array(#"{"first":12,"rows":["1,2",{"a":-0.5e-3,"b":"é\n"}],"x":null}"#.utf8), Array("[[[]]]".utf8)] }
    ) {
      bytes in
      guard let value = try? JSONValue.parse(bytes) else { return }
      precondition((try? JSONValue.parse(Array(value.text.utf8))) == value)
      _ = (value.whole, value.double, value["a"], value.string?.printable)
    },
    Target("harvest", seeds: { harvestSeeds }) { bytes in reads(bytes) },
  ]

  private static let writer = StreamWriter(seed: StreamSeed(.sha256(of: [1])), mode: .public, height: 1)

  private static var streamSeeds: [[UInt8]] {
    var writer = writer
    let head = writer.head(Sensor(id: "s", columns: ["a"]), session: "farm", milliseconds: 1)?.bytes ?? []
    let pointer = writer.pointer.encoded
    let sealed = writer.seal(Array(#"{"first":0,"rows":["1"]}"#.utf8), milliseconds: 1)
    return [[0] + sealed.bytes, [1] + head, [2] + pointer, [3] + sealed.address.bytes + sealed.bytes]
  }

  private static let harvestSeeds: [[UInt8]] = [
    [5, 0, 0, 0, 0, 2, 1, 0, 0, 0, 1, 0, 0, 1, 3, 3, 255, 255],
    [5, 0, 0, 3, 0, 2, 0, 0, 0, 4, 0, 2, 3, 200, 200, 3, 200, 200], [5, 0, 1, 9, 0, 9, 1, 1, 9, 0, 2, 1, 1, 8, 0, 2],
  ]

  /// Numbers at which something might end.
  private static let edges: [UInt64] = [
    0, 1, 2, 7, 31, 32, 1_023, UInt64(UInt32.max) - 2, UInt64(UInt32.max) - 1, UInt64(UInt32.max), 1 << 42, 1 << 62, 1 << 63,
    .max - 1,
    .max,
  ]

  private static func big<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> Number($0)) }
  }

  /// What the owner of a stream with one key, which it may number as it likes, can sign. Trees have one leaf.
  private struct Owner {
    let keys: KeyPair
    let domain = "murmur/stream/1 "
    var root: Digest { .sha256(of: [0] + keys.publicKey.data) }
    var address: [UInt8] { Digest.sha256(of: Array((domain + "public address").utf8) + root.bytes + [0, 0]).bytes }

    func head(_ id: String, number: UInt64, created: UInt64, columns: Int) -> [UInt8] {
      let names = (0..<columns).map { "\"c\($0)\"" }.joined(separator: ",")
      let pointer = [1, 0, 0] + big(number) + root.bytes
      let text =
        "{\"session\":\"farm\",\"id\":\(JSONValue.quote(id)),\"created\":\(created),\"mode\":\"public\",\"channel\":"
        + "\"\(Multibase.base16.encode(root.bytes))\",\"format\":\"json\",\"columns\":[\(names)],"
        + "\"begin\":\"stream1\(Multibase.base32.encode(pointer))\"}"
      let body = [0] + keys.publicKey.data + big(UInt32(text.utf8.count)) + Array(text.utf8)
      return [0x10] + body + keys.sign(Array((domain + "head").utf8) + [0, 4] + Array("farm".utf8) + body)
    }

    func message(_ number: UInt64, _ milliseconds: UInt64, _ payload: [UInt8]) -> [UInt8] {
      var body: [UInt8] = [0] + big(number) + big(milliseconds) + keys.publicKey.data + root.bytes
      body += big(UInt32(payload.count)) + payload
      return [0x10] + body + keys.sign(Array((domain + "message").utf8) + root.bytes + address + body)
    }
  }

  private static func reads(_ bytes: [UInt8]) {
    var draw = Draw(bytes)
    var configuration = Harvest.Configuration(session: "farm")
    (configuration.mostSensors, configuration.remembered, configuration.fields) = (3, 4, 4_096)
    configuration.drift.window = 4
    var (machine, chance, now) = (Harvest(configuration), Chance(seed: 1), Instant.origin)
    let owners = Sample.keys.prefix(4).map { Owner(keys: $0) }
    var published: [(tag: [UInt8], bytes: [UInt8])] = []
    while !draw.isEmpty {
      var due: [Harvest.Input] = []
      func publish(_ tag: [UInt8], _ bytes: [UInt8]) {
        if published.count < 64 { published.append((tag, bytes)) }
        due.append(.solid(tag: tag, bytes: bytes, transaction: Sample.cid))
      }
      let kind = draw.byte() % 6
      let owner = owners[draw.below(4)]
      switch kind {
      case 0:
        let (number, created) = (edges[draw.below(edges.count)], edges[draw.below(edges.count)])
        publish(Array("farm".utf8), owner.head("s\(draw.byte() % 4)", number: number, created: created, columns: draw.below(40)))
      case 1:
        let known = machine.sensors.first { $0.channel == owner.root }?.state.pointer.number ?? 0
        let number = draw.byte() & 1 == 0 ? known : edges[draw.below(edges.count)]
        let rows = (0..<draw.below(4)).map { _ in ["[1,2]", "{}", "\"1,2\"", "\"1e999,nan\"", "{\"c1\":3}"][draw.below(5)] }
        let text = "{\"first\":\(edges[draw.below(edges.count)]),\"rows\":[\(rows.joined(separator: ","))]}"
        publish(owner.address, owner.message(number, edges[draw.below(edges.count)], Array(text.utf8)))
      case 2: publish(draw.byte() & 1 == 0 ? owner.address : Array("farm".utf8), owner.message(0, 0, draw.piece(most: 512)))
      case 3:
        now = now + .milliseconds(Double(draw.below(60_000)))
        due.append(.fired(.patience))
      case 4:
        guard let pointer = try? StreamPointer(encoded: [1, 0, 0] + big(edges[draw.below(edges.count)]) + owner.root.bytes) else {
          continue
        }
        due.append(.follow(Sensor(id: "p\(draw.byte() % 2)"), pointer))
      default: due.append(.started)
      }
      while let input = due.popLast() {
        var effects = Effects<Harvest.Effect>()
        machine.step(input, at: now, chance: &chance, effects: &effects)
        for effect in effects.take() {
          switch effect {
          case .look(let tag):
            for entry in published where entry.tag == tag {
              due.append(.solid(tag: entry.tag, bytes: entry.bytes, transaction: Sample.cid))
            }
          case .rows(let rows):
            for index in rows.rows.indices { precondition(rows.first + UInt64(index) >= rows.first) }
            precondition((try? FeedRows(encoded: rows.encoded))?.rows == rows.rows)
          case .advanced(let state): precondition((try? FeedState(encoded: state.encoded)) == state)
          case .report(let report): precondition(report.description.isPrintable)
          case .arm: break
          }
        }
      }
      precondition(machine.sensors.count <= 3)
    }
  }
}
