import MurmurSessions

extension Schema {
  /// `64-64-10`, `lenet5`, or the hidden widths alone.
  static let model: Codec<ModelPlan> = {
    let kind = "an architecture such as `64-64-10`, `784-64-10 tanh` or `lenet5`, or `{hidden: 64}` or `{hidden: [64, 64]}`"
    return Codec(
      kind: kind,
      rows: [
        KeyRow(
          path: "hidden", kind: widths.kind, standard: "64", summary: "Hidden widths; inputs and outputs come from the data.")
      ],
      read: { (item) throws(ScenarioError.Problem) in
        guard item.pairs != nil else { return .named(try architecture.read(item)) }
        var plan = ModelPlan.hidden([64])
        hidden.read(item, into: &plan)
        return plan
      },
      write: { plan in
        switch plan {
        case .named(let name): .word(name)
        case .hidden(let list): .map([("hidden", widths.write(list))])
        }
      })
  }()

  private static let hidden = Section<ModelPlan>([
    Field("hidden", \.widths, widths, "Hidden widths; inputs and outputs come from the data.").required("64")
  ])

  /// Widths as a list, or in one word with `,` or `-` between them.
  static let widths: Codec<[Int]> = {
    let kind = "widths from 1 to 100000 such as `64` or `[64, 64]`"
    return Codec(
      kind: kind,
      read: { (item) throws(ScenarioError.Problem) in
        let words = !item.isList ? (item.text.map(split) ?? []) : item.values.map { $0.text ?? "" }
        let widths = words.compactMap { Int($0) }.filter { (1...100_000).contains($0) }
        guard widths.count == words.count, (1...64).contains(widths.count) else { throw item.expected(kind) }
        return widths
      },
      write: { $0.count == 1 ? .word(String($0[0])) : .list($0.map { .word(String($0)) }) })
  }()

  static func split(_ text: String) -> [String] {
    text.prefix(1_000).split(omittingEmptySubsequences: false) { $0 == "," || $0 == "-" }.map { word in
      String(word.drop { $0 == " " })
    }
  }

  private static let architecture: Codec<String> = .text(
    "an architecture such as `64-64-10` or `lenet5`",
    parse: { text in
      guard (1...200).contains(text.utf8.count) else { return nil }
      let isPlain = text.unicodeScalars.allSatisfy { scalar in
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
          || "-_.:/ ".unicodeScalars.contains(scalar)
      }
      return isPlain && text.first != " " && text.last != " " && Int(text) == nil ? text : nil
    },
    print: { $0 })

  /// How many of each role.
  static let roles: Codec<PeerPlan.Roles> = {
    let kind = "a map such as `{full: 17, trainer: 2, feeder: 1}`"
    let section = Section<PeerPlan.Roles>([
      Field(
        "full", \.full, Codec<Int>.count(1...1_000_000).or("rest"),
        "Stores, gossips, trains, has rows of its own; `rest` for all others."),
      Field("trainer", \.trainers, .count(0...1_000_000), "Trains on the slices of others."),
      Field("feeder", \.feeders, .count(0...1_000_000), "Stores and gossips its slices, does not train."),
    ])
    return section.codec(kind, over: PeerPlan.Roles())
  }()
}

extension ModelPlan {
  fileprivate var widths: [Int] {
    get { if case .hidden(let list) = self { list } else { [] } }
    set { self = .hidden(newValue) }
  }
}
