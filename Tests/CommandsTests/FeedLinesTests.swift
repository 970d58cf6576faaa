import MurmurCommands
import MurmurStreams
import Testing

/// Bytes of a feed into rows.
@Suite struct FeedLinesTests {
  static func all(_ lines: inout FeedLines, isOver: Bool = true) -> (rows: [String], problems: [String]) {
    var (rows, problems) = ([String](), [String]())
    while let piece = lines.next(isOver: isOver) {
      switch piece {
      case .row(let row): rows.append(String(decoding: row.text, as: UTF8.self))
      case .problem(let words, _): problems.append(words)
      case .nothing: break
      }
    }
    return (rows, problems)
  }

  static func read(
    _ text: String, format: FeedLines.Format? = nil, columns: [String]? = nil, hasHeader: Bool = true
  ) -> (rows: [String], problems: [String], columns: [String]?) {
    var lines = FeedLines(format: format, columns: columns, hasHeader: hasHeader)
    lines.append(Array(text.utf8))
    let (rows, problems) = all(&lines)
    return (rows, problems, lines.columns)
  }

  @Test func `rows are lines as they were read, the header names the columns`() {
    let read = Self.read("time, pm25 ,\"place, name\"\r\n1,2.5,\"a \"\"b\"\"\nc\"\r\n\n3,,x\n")
    #expect(read.columns == ["time", "pm25", "place, name"] && read.problems.isEmpty)
    #expect(read.rows == ["\"1,2.5,\\\"a \\\"\\\"b\\\"\\\"\\nc\\\"\"", "\"3,,x\""])
  }

  @Test func `a value as deep as readers take it within a packet is a row, a deeper one is named with its line`() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth) }
    for depth in 1...40 {
      let read = Self.read("{\"a\":1}\n" + nested(depth) + "\n", format: .json)
      let packet = "{\"first\":0,\"rows\":[" + nested(depth) + "]}"
      let isRead = (try? JSONValue.parse(Array(packet.utf8))) != nil
      #expect(read.rows.count == (isRead ? 2 : 1), "\(depth) deep")
      if !isRead { #expect(read.problems.count == 1 && read.problems[0].hasPrefix("line 2 ")) }
    }
  }

  @Test func `without a header columns are numbered, or named by hand; a header that comes again is no row`() {
    #expect(Self.read("1,2\n3,4").columns == ["c1", "c2"])
    #expect(Self.read("a,b\nc,d\n", hasHeader: false).rows == ["\"a,b\"", "\"c,d\""])
    let named = Self.read("x,y\n1,2\nx,y\n3,4\n", columns: ["x", "y"])
    #expect(named.rows == ["\"1,2\"", "\"3,4\""])
  }

  @Test func `what is wrong is named with its line and column or key, and the rest is read`() {
    let csv = Self.read("a,b\n1,2\n1,2,3\n\n5,6\n")
    #expect(csv.rows.count == 2 && csv.problems == ["line 3 has 3 fields, not 2 ('a' to 'b')"])
    #expect(Self.read("a,a\n1,2\n").problems.first?.contains("'a' twice") == true)
    let twice = Self.read("{\"a\":1}\n{\"a\":1,\"b\":2,\"a\":3}\n{\"a\":4}\n")
    #expect(twice.problems.count == 1 && twice.problems[0].contains("line 2") && twice.problems[0].contains("'a' twice"))
    let json = Self.read("{\"t\":1,\"v\":[1, 2]}\n{\"t\":2,}\n{\"t\":3}\n")
    #expect(json.rows == ["{\"t\":1,\"v\":[1, 2]}", "{\"t\":3}"] && json.columns == ["t", "v"])
    #expect(json.problems.count == 1 && json.problems[0].contains("line 2") && json.problems[0].contains("byte"))
    var lines = FeedLines(format: .csv, columns: ["a"])
    lines.append([0x31, 0x0a, 0xff, 0xfe, 0x0a, 0x32, 0x0a])
    let (rows, problems) = Self.all(&lines)
    #expect(rows == ["\"1\"", "\"2\""] && problems == ["line 2 is no UTF-8 text"])
  }

  @Test func `a quotation mark that stays open costs one line, not all that follow`() {
    let rest = (0..<20_000).map { "\($0),x\n" }.joined()
    let read = Self.read("1,\"oops\n" + rest, columns: ["a", "b"])
    #expect(read.problems.count == 1 && read.problems[0].contains("quotation mark"))
    #expect(read.rows.count == 20_000 && read.rows.last == "\"19999,x\"")
  }

  @Test func `however the bytes are cut, the rows and their ends are the same`() {
    let text = Array("a,b\n1,\"x\ny\"\n\n22,ü\n3,4\r\n{5,6\n".utf8)
    var whole = FeedLines(format: nil, columns: nil)
    whole.append(text)
    var expected: [FeedLines.Piece] = []
    while let piece = whole.next(isOver: true) { expected.append(piece) }
    #expect(expected.count == 6 && whole.place == UInt64(text.count))
    for size in 1...9 {
      var lines = FeedLines(format: nil, columns: nil)
      var pieces: [FeedLines.Piece] = []
      for start in stride(from: 0, to: text.count, by: size) {
        lines.append(Array(text[start..<min(start + size, text.count)]))
        while let piece = lines.next() { pieces.append(piece) }
      }
      while let piece = lines.next(isOver: true) { pieces.append(piece) }
      #expect(pieces == expected, "cut into \(size)")
    }
  }

  @Test func `whatever bytes come, they are read or left out, never a crash, and nothing is stuck`() {
    var word: UInt64 = 20_261_121
    func draw(_ bound: Int) -> Int {
      word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(word >> 33) % bound
    }
    let pieces = ["a,b\n", "1,2\n", "\"", "\n", "{\"a\":1}\n", "\r\n", ",", "\u{0}", "ü", "[", "\\", "x"].map { Array($0.utf8) }
    for _ in 0..<2_000 {
      var lines = FeedLines(
        format: [nil, .csv, .json][draw(3)], columns: draw(2) == 0 ? nil : ["a", "b"], hasHeader: draw(2) == 0)
      var count = 0
      for _ in 0..<draw(30) {
        let bytes = draw(20) == 0 ? [UInt8(draw(256))] : pieces[draw(pieces.count)]
        count += bytes.count
        lines.append(bytes)
        while lines.next() != nil {}
      }
      while lines.next(isOver: true) != nil {}
      #expect(lines.place == UInt64(count) && lines.unfinished == 0)
    }
  }
}
