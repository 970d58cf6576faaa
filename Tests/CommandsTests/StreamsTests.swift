import Foundation
import Testing

/// Real peers that learn from a real feeder: what is read is read once, whoever dies.
@Suite("Streams at real peers", .serialized, .timeLimit(.minutes(5)))
struct StreamsTests {
  static let session = """
    name: farm
    data: {set: sample.csv, label: state, rows: all}
    model: {hidden: [8]}
    peers: {count: 3}
    feeds: {sensors: 1}
    session: {length: 1 h, cycle: 1 s}

    """

  /// A row whose class is whether its first two values add up to more than 100.
  static func row(_ number: Int) -> String {
    let (a, b) = (number * 37 % 101, number * 59 % 101)
    return "\(a),\(b),\(number % 7),\(a + b > 100 ? "wet" : "dry")"
  }

  /// Rows that a peer's owner sees, and whether nothing was lost or refused.
  static func rows(_ peer: LivePeer, until wanted: Int) throws -> [String: Any] {
    let text = try peer.answer(["streams", "--json"]) { text in
      let answer = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      return ((answer?["sensors"] as? [[String: Any]])?.first?["rows"] as? Int ?? 0) >= wanted
    }
    let answer = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    return try #require((answer["sensors"] as? [[String: Any]])?.first)
  }

  @Test("A reader and a gateway are killed, and every row is read once; a private word goes to whoever holds the key")
  func story() throws {
    let folder = try Folder()
    try folder.write(Self.session, to: "s.yaml")
    try folder.write("a,b,c,state\n" + (0..<200).map { Self.row($0 * 13 + 5) + "\n" }.joined(), to: "sample.csv")
    try folder.write("a,b,c,state\n", to: "rows.csv")
    try folder.write(String(repeating: "4f", count: 32) + "\n", to: "farm.key")
    let first = try LivePeer(folder, "p0", ["--number", "0", "--key", "farm.key"])
    let second = try LivePeer(folder, "p1", ["--number", "1", "--key", "farm.key", "--join", try first.address])
    let join = ["--join", try first.address, "--join", try second.address]
    let third = try LivePeer(folder, "p2", ["--number", "2", "--key", "farm.key"] + join)
    let stranger = try LivePeer(folder, "p3", ["--number", "2"] + join)
    let file = try #require(FileHandle(forWritingAtPath: folder.path + "/rows.csv"))
    _ = try file.seekToEnd()
    var written = 0
    func write(_ count: Int) throws {
      let text = (written..<written + count).map { Self.row($0) + "\n" }.joined()
      try file.write(contentsOf: Data(text.utf8))
      written += count
    }
    let feeder = try FeedTests.start(
      folder,
      [
        "--id", "soil", "--follow", "rows.csv", "--packet", "20", "--mode", "restricted", "--key", "farm.key", "--to",
        try first.address, "--to", try second.address,
      ])
    defer { feeder.terminate() }
    try write(200)
    #expect(try Self.rows(third, until: 200)["rows"] as? Int == 200)
    // Whoever lacks the key has the transactions, and nothing of the sensor.
    #expect(try stranger.answer(["streams", "--json"]).contains("\"sensors\":[]"))
    third.kill()
    try write(100)
    first.kill()
    try write(100)
    let again = try LivePeer(
      folder, "p2", ["--number", "2", "--key", "farm.key", "--join", try second.address, "--join", try stranger.address])
    let seen = try Self.rows(again, until: 400)
    #expect(
      seen["rows"] as? Int == 400 && seen["messages"] as? Int == 20 && seen["lost"] as? Int == 0 && seen["failures"] as? Int == 0)
    #expect(try again.news("rows")["first"] as? Int == 200, "what was read before the kill is not read again")
    #expect(try Self.rows(second, until: 400)["rows"] as? Int == 400)
  }

  @Test("Three feeders at different peers supply all rows of a session, of which no peer has one of its own, and all peers learn")
  func three() throws {
    let folder = try Folder()
    try folder.write(
      Self.session.replacing("sensors: 1", with: "sensors: 3").replacing("count: 3", with: "count: 2"), to: "s.yaml")
    try folder.write("a,b,c,state\n" + (0..<200).map { Self.row($0 * 13 + 5) + "\n" }.joined(), to: "sample.csv")
    let first = try LivePeer(folder, "p0", ["--number", "0"])
    let second = try LivePeer(folder, "p1", ["--number", "1", "--join", try first.address])
    let addresses = [try first.address, try second.address]
    var feeders: [Process] = []
    defer { for feeder in feeders { feeder.terminate() } }
    for number in 0..<3 {
      try folder.write("a,b,c,state\n" + (0..<160).map { Self.row(number * 160 + $0) + "\n" }.joined(), to: "rows\(number).csv")
      feeders.append(
        try FeedTests.start(
          folder,
          [
            "--id", "field-\(number)", "--follow", "rows\(number).csv", "--packet", "20", "--to", addresses[number % 2], "--to",
            addresses[1 - number % 2],
          ]))
    }
    for peer in [first, second] {
      var sensors: [[String: Any]] = []
      _ = try peer.answer(["streams", "--json"]) { text in
        let answer = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        sensors = answer?["sensors"] as? [[String: Any]] ?? []
        return sensors.count == 3 && sensors.allSatisfy { $0["rows"] as? Int == 160 }
      }
      #expect(Set(sensors.compactMap { $0["id"] as? String }) == ["field-0", "field-1", "field-2"])
      #expect(sensors.allSatisfy { $0["lost"] as? Int == 0 && $0["failures"] as? Int == 0 && $0["messages"] as? Int == 8 })
      _ = try peer.news("cycle", within: 60) { ($0["accuracy"] as? Double ?? 0) > 75 }
    }
  }

  @Test(
    "Of a private stream of JSON the pointer's file says what its columns are; rows of no use are counted; a store serves one session at a time"
  )
  func pointer() throws {
    let folder = try Folder()
    let alone = Self.session.replacing("count: 3", with: "count: 1")
    try folder.write(alone, to: "s.yaml")
    try folder.write(alone.replacing("name: farm", with: "name: other"), to: "other.yaml")
    try folder.write(alone.replacing("cycle: 1 s}", with: "cycle: 1 s, privacy: false}"), to: "shared.yaml")
    try folder.write("a,b,c,state\n" + (0..<200).map { Self.row($0 * 13 + 5) + "\n" }.joined(), to: "sample.csv")
    // Members in another order than the data set's columns, and a class that nobody knows in every tenth row.
    let rows = (0..<40).map { number in
      let values = Self.row(number).split(separator: ",")
      let state = number % 10 == 9 ? "frozen" : values[3]
      return "{\"state\":\"\(state)\",\"c\":\(values[2]),\"a\":\(values[0]),\"b\":\(values[1])}\n"
    }
    try folder.write(rows.joined(), to: "rows.json")
    let first = try LivePeer(folder, "p0", ["--number", "0"])
    let feeder = try FeedTests.start(
      folder,
      [
        "--id", "my soil", "--store", "soil", "--follow", "rows.json", "--packet", "10", "--mode", "private", "--to",
        try first.address,
      ])
    defer { feeder.terminate() }
    _ = try first.answer(["streams", "--json"]) { text in
      let answer = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
      return answer?["transactions"] as? Int ?? 0 >= 4
    }
    #expect(try folder.text("soil/pointer").contains("\"columns\":[\"state\",\"c\",\"a\",\"b\"]"))
    first.kill()
    // A session that shares its rows would tell everybody.
    let shared = try Program(folder: folder).run(
      ["peer", "--session", "shared.yaml", "--number", "0", "--pointer", "soil/pointer", "--listen", "/ip4/127.0.0.1/tcp/0"])
    #expect(shared.code == 1 && shared.errors.contains("privacy: true"), "\(shared.errors)")
    func seen(_ peer: LivePeer) throws -> [String: Any] {
      let text = try peer.answer(["streams", "--json"]) { text in
        let answer = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let rows = (answer?["sensors"] as? [[String: Any]])?.first?["rows"] as? Int
        return rows == 40 && answer?["refused"] as? Int == 4
      }
      return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
    var lags: [Double] = []
    for life in 0..<2 {
      let reader = try LivePeer(folder, "p0", ["--number", "0", "--pointer", "soil/pointer"])
      let answer = try seen(reader)
      let sensor = try #require((answer["sensors"] as? [[String: Any]])?.first)
      #expect(sensor["id"] as? String == "my soil")
      lags.append(try #require(sensor["lag"] as? Double, "life \(life) knows when the last reading was made"))
      if life == 0 { #expect(try reader.news("noticed")["what"] as? String != nil) }
      reader.kill()
    }
    #expect(lags[1] > lags[0] && lags[0] >= 0)
    let other = try LivePeer(folder, "p0", ["--number", "0"], session: ["--session", "other.yaml"])
    #expect(try other.answer(["streams", "--json"]).contains("\"sensors\":[]"), "another session has nothing of it")
  }

  @Test("A peer without sensors in its session says what to write; keys for it are refused")
  func refusals() throws {
    let folder = try Folder()
    try folder.write(
      Self.session.replacing("feeds: {sensors: 1}\n", with: "").replacing("count: 3", with: "count: 1"), to: "s.yaml")
    try folder.write("a,b,c,state\n" + (0..<200).map { Self.row($0) + "\n" }.joined(), to: "sample.csv")
    try folder.write("no key", to: "bad.key")
    let peer = try LivePeer(folder, "p0", ["--number", "0"])
    let asked = try peer.ask(["streams"])
    #expect(asked.code == 1 && asked.errors.contains("feeds: {sensors: 1}"))
    let refused = try Program(folder: folder).run(["peer", "--session", "s.yaml", "--key", "bad.key"])
    #expect(refused.code == 1 && refused.errors.contains("64 hexadecimal digits"))
  }
}
