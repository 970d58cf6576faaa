/// The modules of a QR code while it is drawn: patterns first, then words in a zigzag, then a mask.
struct Canvas {
  let version: Int
  let size: Int
  var modules: [Bool]
  /// Modules that belong to patterns, which no word and no mask touches.
  private var isPattern: [Bool]

  init(_ version: Int) {
    self.version = version
    size = 17 + 4 * version
    modules = [Bool](repeating: false, count: size * size)
    isPattern = modules
    drawPatterns()
  }

  private mutating func set(_ row: Int, _ column: Int, _ isDark: Bool) {
    guard (0..<size).contains(row), (0..<size).contains(column) else { return }
    modules[row * size + column] = isDark
    isPattern[row * size + column] = true
  }

  private mutating func drawPatterns() {
    for place in 0..<size {
      set(6, place, place % 2 == 0)
      set(place, 6, place % 2 == 0)
    }
    for (row, column) in [(3, 3), (3, size - 4), (size - 4, 3)] {
      for down in -4...4 {
        for across in -4...4 {
          let distance = max(abs(down), abs(across))
          set(row + down, column + across, distance != 2 && distance != 4)
        }
      }
    }
    let middles = Version.alignments(version)
    for row in middles {
      for column in middles {
        let isFinder = (row == 6 && column == 6) || (row == 6 && column == size - 7) || (row == size - 7 && column == 6)
        guard !isFinder else { continue }
        for down in -2...2 { for across in -2...2 { set(row + down, column + across, max(abs(down), abs(across)) != 1) } }
      }
    }
    drawFormat(mask: 0)
    guard version >= 7 else { return }
    // Bits of the version behind twelve check bits of Golay's code.
    var rest = version
    for _ in 0..<12 { rest = rest << 1 ^ (rest >> 11) * 0x1f25 }
    let bits = version << 12 | rest
    for place in 0..<18 {
      let isDark = bits >> place & 1 == 1
      set(size - 11 + place % 3, place / 3, isDark)
      set(place / 3, size - 11 + place % 3, isDark)
    }
  }

  /// Level L and the mask, behind ten check bits of a BCH code, twice.
  private mutating func drawFormat(mask: Int) {
    let data = 0b01 << 3 | mask
    var rest = data
    for _ in 0..<10 { rest = rest << 1 ^ (rest >> 9) * 0x537 }
    let bits = (data << 10 | rest) ^ 0x5412
    func isDark(_ place: Int) -> Bool { bits >> place & 1 == 1 }
    for place in 0...5 { set(place, 8, isDark(place)) }
    set(7, 8, isDark(6))
    set(8, 8, isDark(7))
    set(8, 7, isDark(8))
    for place in 9..<15 { set(8, 14 - place, isDark(place)) }
    for place in 0..<8 { set(8, size - 1 - place, isDark(place)) }
    for place in 8..<15 { set(size - 15 + place, 8, isDark(place)) }
    set(size - 8, 8, true)
  }

  /// Puts the words where they belong: in columns of two from the right, upwards and downwards in turn.
  mutating func place(_ words: [UInt8]) {
    var bit = 0
    for right in stride(from: size - 1, through: 1, by: -2) {
      // The column of the timing pattern is left out.
      let column = right <= 6 ? right - 1 : right
      for step in 0..<size {
        for side in 0..<2 {
          let isUp = (column + 1) & 2 == 0
          let row = isUp ? size - 1 - step : step
          let index = row * size + column - side
          guard !isPattern[index], bit < words.count * 8 else { continue }
          modules[index] = words[bit / 8] >> UInt8(7 - bit % 8) & 1 == 1
          bit += 1
        }
      }
    }
  }

  /// Whether a mask turns the module in that row and column.
  static func turns(_ mask: Int, _ row: Int, _ column: Int) -> Bool {
    switch mask {
    case 0: (row + column) % 2 == 0
    case 1: row % 2 == 0
    case 2: column % 3 == 0
    case 3: (row + column) % 3 == 0
    case 4: (row / 2 + column / 3) % 2 == 0
    case 5: row * column % 2 + row * column % 3 == 0
    case 6: (row * column % 2 + row * column % 3) % 2 == 0
    default: ((row + column) % 2 + row * column % 3) % 2 == 0
    }
  }

  mutating func apply(mask: Int) {
    for row in 0..<size {
      for column in 0..<size where !isPattern[row * size + column] && Canvas.turns(mask, row, column) {
        modules[row * size + column].toggle()
      }
    }
    drawFormat(mask: mask)
  }

  /// How hard the code is to read: long runs, squares, what looks like a finder, and too much of one colour.
  var penalty: Int {
    var result = 0
    for line in 0..<size {
      result += Canvas.linePenalty((0..<size).map { modules[line * size + $0] })
      result += Canvas.linePenalty((0..<size).map { modules[$0 * size + line] })
    }
    for row in 0..<size - 1 {
      for column in 0..<size - 1 {
        let first = modules[row * size + column]
        if first == modules[row * size + column + 1], first == modules[(row + 1) * size + column],
          first == modules[(row + 1) * size + column + 1]
        {
          result += 3
        }
      }
    }
    let dark = modules.count(where: { $0 })
    let total = size * size
    return result + ((abs(dark * 20 - total * 10) + total - 1) / total - 1) * 10
  }

  private static let finder: [Bool] = [true, false, true, true, true, false, true]

  private static func linePenalty(_ line: [Bool]) -> Int {
    var result = 0
    var run = 1
    for place in 1...line.count {
      if place < line.count, line[place] == line[place - 1] {
        run += 1
        continue
      }
      if run >= 5 { result += run - 2 }
      run = 1
    }
    // A finder's stripes with four light modules on one side; beyond the edge all is light.
    func isLight(_ range: Range<Int>) -> Bool { range.allSatisfy { !line.indices.contains($0) || !line[$0] } }
    for start in 0...line.count - 7 where Array(line[start..<start + 7]) == finder {
      if isLight(start - 4..<start) { result += 40 }
      if isLight(start + 7..<start + 11) { result += 40 }
    }
    return result
  }
}
