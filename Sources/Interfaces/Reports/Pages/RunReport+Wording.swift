extension RunReport {
  /// The outcome in a sentence.
  public var verdict: String { result.verdict }
}

extension RunResult {
  /// The outcome in a sentence, written from the figures.
  public var verdict: String {
    guard let together else {
      return "\(peersInWords) ran for \(Numerals.duration(virtualSeconds)); no accuracy was measured."
    }
    var sentence = "\(peersInWords) reached \(Numerals.percent(together.mean))"
    if let probability = offlineProbability, probability > 0 {
      sentence += " while \(Numerals.share(probability)) of them were away"
    }
    switch (alone, central) {
    case (let alone?, let central?):
      sentence += ": alone they get \(Numerals.percent(alone.mean)), all rows in one place give \(Numerals.percent(central))"
    case (let alone?, nil): sentence += "; alone they get \(Numerals.percent(alone.mean))"
    case (nil, let central?): sentence += "; all rows in one place give \(Numerals.percent(central))"
    case (nil, nil): break
    }
    return sentence + "." + (gapInWords.map { " " + $0 } ?? "")
  }

  private var peersInWords: String { peerCount == 1 ? "One peer" : "\(Numerals.count(peerCount)) peers" }

  /// What the closed gap means.
  private var gapInWords: String? {
    guard let gapClosed else { return nil }
    switch gapClosed {
    case ..<0: return "Learning together made it worse."
    case ..<0.05: return "Next to nothing of the gap was closed."
    case ..<1: return "That closes \(Numerals.share(gapClosed)) of the gap."
    default: return "Nothing was lost by keeping the rows apart."
    }
  }

  /// What was run, in a few sentences.
  public var summary: String {
    var text =
      "\(data.name.isEmpty ? "Data" : data.name): \(Numerals.count(data.rows, "row")) over \(Numerals.count(peerCount, "peer"))"
    if let split = data.split { text += " (\(split))" }
    text += ", \(Numerals.count(data.features, "feature")), \(Numerals.count(data.classes, "class", "classes"))"
    if let tests = data.testRows { text += ", measured on \(Numerals.count(tests, "row")) nobody trained on" }
    text += "."
    if !model.isEmpty { text += " Model \(model)." }
    text += " \(Numerals.duration(virtualSeconds)) of virtual time"
    if let wallSeconds { text += ", simulated in \(Numerals.duration(wallSeconds))" }
    text += ", seed \(seed)."
    if let offline { text += " " + offline.sentence }
    for fault in faults { text += " " + fault.sentence }
    return text
  }
}

extension String {
  /// The text with a full stop at its end, if it has none.
  var sentence: String {
    guard let last else { return self }
    return ".!?…".contains(last) ? self : self + "."
  }
}
