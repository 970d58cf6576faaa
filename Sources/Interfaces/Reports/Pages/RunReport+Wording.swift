extension RunReport {
  /// The outcome in a sentence.
  public var verdict: String { result.verdict }
}

extension RunResult {
  /// The outcome in a sentence, written from the figures.
  public var verdict: String {
    let who = peerCount == 1 ? "one peer" : "\(Numerals.count(peerCount)) peers"
    guard let together else {
      return "\(who.capitalizedFirst) ran for \(Numerals.duration(virtualSeconds)); no accuracy was measured."
    }
    var sentence = "Together, \(who) reach \(Numerals.percent(together.mean))"
    if peerCount == 1 { sentence = "One peer reaches \(Numerals.percent(together.mean))" }
    if let probability = offlineProbability, probability > 0 {
      sentence += " with \(Numerals.share(probability)) of them offline at any time"
    }
    switch (alone?.mean, central) {
    case (let alone?, let central?):
      let ends = "learning alone (\(Numerals.percent(alone))) and pooling all rows (\(Numerals.percent(central)))"
      switch gapClosed {
      case let gap? where gap >= 0.995: sentence += ": nothing is lost against pooling all rows (\(Numerals.percent(central)))"
      case let gap? where gap > 0: sentence += ": that closes \(Numerals.share(gap)) of the gap between \(ends)"
      case .some: sentence += ": no better than learning alone (\(Numerals.percent(alone)))"
      case nil: sentence += "; there is no gap to close between \(ends)"
      }
    case (let alone?, nil): sentence += "; alone they get \(Numerals.percent(alone))"
    case (nil, let central?): sentence += "; pooling all rows gives \(Numerals.percent(central))"
    case (nil, nil): break
    }
    return sentence + "."
  }

  /// What was run, in a few words.
  public var summary: String {
    var parts: [String] = []
    if !data.name.isEmpty {
      var text = "\(data.name): \(Numerals.count(data.rows, "row")) of \(Numerals.count(data.features, "feature")) in "
      text += Numerals.count(data.classes, "class", "classes")
      if let split = data.split { text += ", \(split)" }
      parts.append(text)
      if let tests = data.testRows { parts.append("measured on \(Numerals.count(tests, "row")) nobody trained on") }
    }
    if !model.isEmpty { parts.append("model \(model)") }
    parts.append(
      "\(Numerals.duration(virtualSeconds)) of virtual time"
        + (wallSeconds.map { ", simulated in \(Numerals.duration($0))" } ?? ""))
    parts.append("seed \(seed)")
    return parts.joined(separator: " · ") + "."
  }

  /// What went wrong on purpose, as sentences; empty if nothing did.
  public var disruptions: String {
    ([offline].compactMap { $0 } + faults.filter { $0 != offline }).map(\.sentence).joined(separator: " ")
  }
}

extension String {
  /// The text with a full stop at its end, if it has none.
  var sentence: String {
    guard let last else { return self }
    return ".!?…".contains(last) ? self : self + "."
  }

  /// The text with its first letter in upper case.
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
