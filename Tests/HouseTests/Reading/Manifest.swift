/// What `Package.swift` says about targets, read from its text: `room(tier, name, [needs])`, `tests(name, [needs])` and targets
/// written out.
struct Manifest {
  struct Target: Equatable {
    var name: String
    var folder: String
    var needs: [String]
    var isTest: Bool
    var line: Int
  }

  private(set) var targets: [Target] = []

  init(_ text: String) {
    let file = SourceFile("Package.swift", text)
    let products = Self.products(file)
    guard let list = file.code.occurrences(of: "targets:").last(where: { file.code.line($0) > 1 && Self.isTargets(file, $0) })
    else { return }
    let open = file.code.skipBlanks(list + "targets:".utf8.count)
    let end = file.code.closing(open)
    for (position, word) in file.code.words where position > open && position < end {
      let paren = position + word.utf8.count
      guard paren < end, file.code.bytes[paren] == UInt8(ascii: "(") else { continue }
      let arguments = (paren + 1)..<file.code.closing(paren)
      guard let target = Self.target(word, Arguments(file, arguments, products), file.code.line(position)) else { continue }
      targets.append(target)
    }
  }

  /// The package's own list of targets is the one that is not inside a product.
  private static func isTargets(_ file: SourceFile, _ position: Int) -> Bool {
    file.code.text(line: file.code.line(position)).drop { $0 == " " }.hasPrefix("targets:")
  }

  private static func target(_ word: String, _ arguments: Arguments, _ line: Int) -> Target? {
    switch word {
    case "room":
      let strings = arguments.plain
      guard strings.count == 2 else { return nil }
      return Target(
        name: "Murmur\(strings[1])", folder: "Sources/\(strings[0])/\(strings[1])", needs: arguments.listed, isTest: false,
        line: line)
    case "tests":
      guard let name = arguments.plain.first else { return nil }
      return Target(name: "\(name)Tests", folder: "Tests/\(name)Tests", needs: arguments.listed, isTest: true, line: line)
    case "target", "executableTarget", "systemLibrary":
      guard arguments.plain.count >= 2 else { return nil }
      return Target(
        name: arguments.plain[0], folder: arguments.plain[1], needs: word == "systemLibrary" ? [] : arguments.listed,
        isTest: false,
        line: line)
    default: return nil
    }
  }

  /// Names of dependencies on other packages: `let crypto: Target.Dependency = .product(name: "Crypto", …)`.
  private static func products(_ file: SourceFile) -> [String: String] {
    var products: [String: String] = [:]
    for position in file.code.occurrences(of: ".product(") {
      let line = file.code.line(position)
      let words = Code(Array(file.code.text(line: line).utf8)).words.map(\.text)
      guard words.first == "let", words.count > 1 else { continue }
      products[words[1]] =
        file.strings(file.code.lineStart(line)..<file.code.closing(position + ".product".utf8.count)).first?.text
    }
    return products
  }

  /// The arguments of one call: string literals outside of brackets, and what the first bracket lists.
  private struct Arguments {
    var plain: [String] = []
    var listed: [String] = []

    init(_ file: SourceFile, _ range: Range<Int>, _ products: [String: String]) {
      var lists: [Range<Int>] = []
      var position = range.lowerBound
      while position < range.upperBound {
        if file.code.bytes[position] == UInt8(ascii: "[") || file.code.bytes[position] == UInt8(ascii: "(") {
          lists.append(position..<file.code.closing(position))
          position = lists[lists.count - 1].upperBound
        }
        position += 1
      }
      let needs = lists.first { !Self.isOther(file.code, $0.lowerBound) }
      for string in file.strings(range) {
        if needs?.contains(string.position) == true {
          listed.append(string.text)
        } else if !lists.contains(where: { $0.contains(string.position) }) {
          plain.append(string.text)
        }
      }
      for (position, word) in file.code.words where needs?.contains(position) == true {
        if let product = products[word] { listed.append(product) }
      }
    }

    /// Whether a list belongs to a label that is not about dependencies.
    private static func isOther(_ code: Code, _ open: Int) -> Bool {
      let line = code.text(code.lineStart(code.line(open))..<open)
      return ["resources: ", "providers: ", "exclude: ", "swiftSettings: "].contains { line.hasSuffix($0) }
    }
  }
}

extension SourceFile {
  /// The string literals without interpolation in a range of the file, in order.
  func strings(_ range: Range<Int>) -> [(position: Int, text: String)] {
    var found: [(Int, String)] = []
    var position = range.lowerBound
    while position < range.upperBound {
      guard raw.bytes[position] == UInt8(ascii: "\""), code.bytes[position] == .space else {
        position += 1
        continue
      }
      let end = raw.bytes[(position + 1)...].firstIndex(of: UInt8(ascii: "\"")) ?? range.upperBound
      found.append((position, raw.text((position + 1)..<end)))
      position = end + 1
    }
    return found
  }
}
