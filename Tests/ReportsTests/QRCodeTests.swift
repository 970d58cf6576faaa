import MurmurReports
import Testing

@Suite("QR codes")
struct QRCodeTests {
  static let texts = [
    "A", "MURMUR:ABC234", "hello, world", String(repeating: "MURMUR:BAFK", count: 30), String(repeating: "ä", count: 700),
    String(repeating: "Z", count: 4_296), String(repeating: "z", count: 2_953),
  ]

  /// Bytes that each version holds at level L, as the specification's table 7 says.
  static let capacity = [
    17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858, 929, 1003, 1091, 1171, 1273,
    1367,
    1465, 1528, 1628, 1732, 1840, 1952, 2068, 2188, 2303, 2431, 2563, 2699, 2809, 2953,
  ]

  @Test("Every version is read back by a reader of our own, its check words agreeing", arguments: 1...40)
  func versions(version: Int) throws {
    let text = String(repeating: "q", count: QRCodeTests.capacity[version - 1])
    let code = try #require(QRCode(text))
    #expect(code.version == version && code.size == 17 + 4 * version)
    #expect(try Reader(code).text() == text)
    #expect(QRCode(text + "q")?.version == (version < 40 ? version + 1 : nil))
  }

  @Test("Capitals are written shortly, other text as bytes", arguments: QRCodeTests.texts)
  func kinds(text: String) throws {
    let code = try #require(QRCode(text))
    #expect(try Reader(code).text() == text)
    #expect((0..<8).contains(code.mask))
  }

  @Test("What is too long has no code")
  func limit() {
    #expect(QRCode(String(repeating: "Z", count: 4_297)) == nil && QRCode(String(repeating: "z", count: 2_954)) == nil)
    #expect(QRCode.mostCharacters == (4_296, 2_953))
  }

  @Test("A known code: version 1, as the specification draws its patterns")
  func known() throws {
    let code = try #require(QRCode("HELLO WORLD"))
    #expect(code.version == 1)
    let top = (0..<21).map { code[0, $0] ? "#" : "." }.joined()
    #expect(top.hasPrefix("#######.") && top.hasSuffix(".#######"))
    #expect((8..<13).map { code[6, $0] } == [true, false, true, false, true], "timing")
    #expect(code[13, 8], "the module that is always dark")
    #expect(!code[-1, 0] && !code[0, 21], "light outside")
  }

  @Test("On a terminal two rows share a line; as a drawing it is one path")
  func drawings() throws {
    let code = try #require(QRCode("HELLO WORLD"))
    let plain = code.terminal(colour: false).split(separator: "\n")
    #expect(plain.count == code.terminalSize.lines && plain.allSatisfy { $0.count == code.terminalSize.columns })
    #expect(plain[0].allSatisfy { $0 == "█" }, "the quiet zone is light")
    #expect(code.terminal(colour: true).contains("\u{1b}[38;5;16;48;5;231m"))
    let svg = code.svg(title: "to <us>")
    #expect(svg.hasPrefix("<svg") && svg.contains("&lt;us&gt;") && svg.contains("viewBox=\"0 0 29 29\""))
  }
}

/// Reads the modules of a code as a camera's program would once it has found them. Tables are those of ISO/IEC 18004 for level L, derived
/// anew from the number of modules where they can be.
struct Reader {
  struct Unreadable: Error { var why: String }

  let code: QRCode
  private let size: Int
  private let version: Int

  init(_ code: QRCode) {
    self.code = code
    size = code.size
    version = (code.size - 17) / 4
  }

  func text() throws -> String {
    let words = try codewords()
    var place = 0
    func take(_ width: Int) -> Int {
      var value = 0
      for _ in 0..<width {
        value = value << 1 | Int(words[place / 8] >> UInt8(7 - place % 8) & 1)
        place += 1
      }
      return value
    }
    let mode = take(4)
    if mode == 0b0100 {
      let count = take(version < 10 ? 8 : 16)
      return String(decoding: (0..<count).map { _ in UInt8(take(8)) }, as: UTF8.self)
    }
    guard mode == 0b0010 else { throw Unreadable(why: "mode \(mode)") }
    let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
    var count = take(version < 10 ? 9 : version < 27 ? 11 : 13)
    var text = ""
    while count > 0 {
      let value = take(count > 1 ? 11 : 6)
      text += count > 1 ? "\(letters[value / 45])\(letters[value % 45])" : "\(letters[value])"
      count -= min(count, 2)
    }
    return text
  }

  /// The data words, after the blocks were put in order and every check word was found to agree.
  private func codewords() throws -> [UInt8] {
    let mask = try format()
    var bits: [Bool] = []
    var column = size - 1
    var isUp = true
    while column > 0 {
      if column == 6 { column -= 1 }
      for step in 0..<size {
        let row = isUp ? size - 1 - step : step
        for side in [column, column - 1] where !isPattern(row, side) { bits.append(code[row, side] != turns(mask, row, side)) }
      }
      isUp.toggle()
      column -= 2
    }
    let all = stride(from: 0, to: bits.count / 8 * 8, by: 8).map { start in
      bits[start..<start + 8].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
    }
    let (blocks, checks) = Reader.blocks[version - 1]
    let short = all.count / blocks - checks
    let long = all.count % blocks
    var data = [[UInt8]](repeating: [], count: blocks)
    var place = 0
    for index in 0...short {
      for block in 0..<blocks where index < short || block >= blocks - long {
        data[block].append(all[place])
        place += 1
      }
    }
    var whole = data
    for _ in 0..<checks {
      for block in 0..<blocks {
        whole[block].append(all[place])
        place += 1
      }
    }
    for block in whole {
      var root: UInt8 = 1
      for _ in 0..<checks {
        let value = block.reduce(UInt8(0)) { times($0, root) ^ $1 }
        guard value == 0 else { throw Unreadable(why: "a check word does not agree") }
        root = times(root, 2)
      }
    }
    return data.flatMap { $0 }
  }

  private func format() throws -> Int {
    var value = 0
    for place in stride(from: 14, through: 0, by: -1) {
      let isDark = place < 6 ? code[place, 8] : place < 8 ? code[place + 1, 8] : place == 8 ? code[8, 7] : code[8, 14 - place]
      value = value << 1 | (isDark ? 1 : 0)
    }
    value ^= 0x5412
    var rest = value
    for place in stride(from: 14, through: 10, by: -1) where rest >> place & 1 == 1 { rest ^= 0x537 << (place - 10) }
    guard rest == 0, value >> 13 == 0b01 else { throw Unreadable(why: "format \(value)") }
    return value >> 10 & 7
  }

  private func isPattern(_ row: Int, _ column: Int) -> Bool {
    if row == 6 || column == 6 { return true }
    if row < 9, column < 9 || column >= size - 8 { return true }
    if row >= size - 8, column < 9 { return true }
    if version >= 7, row < 6 && column >= size - 11 || column < 6 && row >= size - 11 { return true }
    let middles = Reader.middles(version)
    for down in middles {
      for across in middles where abs(row - down) <= 2 && abs(column - across) <= 2 {
        let isFinder = (down == 6 && across == 6) || (down == 6 && across == size - 7) || (down == size - 7 && across == 6)
        if !isFinder { return true }
      }
    }
    return false
  }

  private func turns(_ mask: Int, _ i: Int, _ j: Int) -> Bool {
    switch mask {
    case 0: (i + j) % 2 == 0
    case 1: i % 2 == 0
    case 2: j % 3 == 0
    case 3: (i + j) % 3 == 0
    case 4: (i / 2 + j / 3) % 2 == 0
    case 5: (i * j) % 2 + (i * j) % 3 == 0
    case 6: ((i * j) % 2 + (i * j) % 3) % 2 == 0
    default: ((i + j) % 2 + (i * j) % 3) % 2 == 0
    }
  }

  private func times(_ left: UInt8, _ right: UInt8) -> UInt8 {
    var (result, value) = (0, Int(left))
    for bit in 0..<8 {
      if right >> UInt8(bit) & 1 == 1 { result ^= value }
      value <<= 1
      if value > 255 { value ^= 0x11d }
    }
    return UInt8(result)
  }

  /// The middles of alignment patterns, as the specification's annex E lists them.
  private static func middles(_ version: Int) -> [Int] {
    let lists: [[Int]] = [
      [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50], [6, 30, 54],
      [6, 32, 58],
      [6, 34, 62], [6, 26, 46, 66], [6, 26, 48, 70], [6, 26, 50, 74], [6, 30, 54, 78], [6, 30, 56, 82], [6, 30, 58, 86],
      [6, 34, 62, 90], [6, 28, 50, 72, 94], [6, 26, 50, 74, 98], [6, 30, 54, 78, 102], [6, 28, 54, 80, 106],
      [6, 32, 58, 84, 110],
      [6, 30, 58, 86, 114], [6, 34, 62, 90, 118], [6, 26, 50, 74, 98, 122], [6, 30, 54, 78, 102, 126], [6, 26, 52, 78, 104, 130],
      [6, 30, 56, 82, 108, 134], [6, 34, 60, 86, 112, 138], [6, 30, 58, 86, 114, 142], [6, 34, 62, 90, 118, 146],
      [6, 30, 54, 78, 102, 126, 150], [6, 24, 50, 76, 102, 128, 154], [6, 28, 54, 80, 106, 132, 158],
      [6, 32, 58, 84, 110, 136, 162], [6, 26, 54, 82, 110, 138, 166], [6, 30, 58, 86, 114, 142, 170],
    ]
    return lists[version - 1]
  }

  /// Blocks and check words of each, by version.
  private static let blocks: [(Int, Int)] = [
    (1, 7), (1, 10), (1, 15), (1, 20), (1, 26), (2, 18), (2, 20), (2, 24), (2, 30), (4, 18), (4, 20), (4, 24), (4, 26), (4, 30),
    (6, 22),
    (6, 24), (6, 28), (6, 30), (7, 28), (8, 28), (8, 28), (9, 28), (9, 30), (10, 30), (12, 26), (12, 28), (12, 30), (13, 30),
    (14, 30),
    (15, 30), (16, 30), (17, 30), (18, 30), (19, 30), (19, 30), (20, 30), (21, 30), (22, 30), (24, 30), (25, 30),
  ]
}
