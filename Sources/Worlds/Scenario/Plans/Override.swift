import MurmurMachines
import MurmurSessions

/// A command-line option that changes one field of a scenario; the raw value is the option's name without its dashes.
public enum Override: String, CaseIterable, Hashable, Sendable {
  /// A data set's name or a file: `data.set`. The label's column falls back to the data set's own.
  case data
  /// A column: `data.label`.
  case label
  /// How many peers: `peers.count`; `peers.roles.full` takes up the difference.
  case peers
  /// Training rows per peer: `data.rows`.
  case rows
  /// Hidden widths such as `64,64`: `model.hidden`.
  case hidden
  /// Passes per training cycle: `session.training.epochs`.
  case epochs
  /// The probability of being offline, as `0.8`, `80%` or `80`: that of the plan's offline faults, or of a new one redrawn every work
  /// cycle.
  case offline
  /// The seed.
  case seed
  /// Worker threads: `run.threads`.
  case threads
  /// The results' folder: `run.out`.
  case out
}

extension Scenario {
  /// Sets the field that a command-line option stands for.
  ///
  /// - Throws: What is wrong with the text, named after the option.
  public mutating func set(_ option: Override, to text: String) throws(ScenarioError) {
    let report = Report(file: "--" + option.rawValue)
    let item = Item(text, report: report)
    do throws(ScenarioError.Problem) {
      switch option {
      case .data: (data.set, data.label) = (try Schema.dataSet.read(item), nil)
      case .label: data.label = try Schema.label.read(item)
      case .peers: (peers.count, peers.roles.full) = (try Schema.peerCount.read(item), nil)
      case .rows: data.rows = try Schema.rowCount.read(item)
      case .hidden: model = .hidden(try Schema.widths.read(item))
      case .epochs: session.training.epochs = try Schema.epochs.read(item)
      case .offline: setOffline(try Override.probability(item))
      case .seed: seed = try Codec.seed.read(item)
      case .threads: run.threads = try Schema.threads.read(item)
      case .out: run.out = try Schema.folder.read(item)
      }
    } catch { throw ScenarioError([error]) }
    try validate(file: "--" + option.rawValue)
  }

  /// Checks the scenario as a whole, as reading one does.
  public func validate(file: String) throws(ScenarioError) {
    for wrong in [Schema.peers.check(peers), Schema.misfit(self)] {
      guard let wrong else { continue }
      throw ScenarioError([ScenarioError.Problem(file: file, message: wrong.message, advice: wrong.advice)])
    }
  }

  private mutating func setOffline(_ probability: Double) {
    var isSet = false
    for index in faults.faults.indices {
      guard case .offline(var offline) = faults.faults[index] else { continue }
      offline.probability = probability
      faults.faults[index] = .offline(offline)
      isSet = true
    }
    if !isSet, probability > 0 { faults.faults.append(.offline(Fault.Offline(probability: probability))) }
  }
}

extension Override {
  /// A probability; a bare number above 1 counts in percent.
  fileprivate static func probability(_ item: Item) throws(ScenarioError.Problem) -> Double {
    if let text = item.text, let quantity = Quantity(text), quantity.unit.isEmpty, quantity.value > 1, quantity.value <= 100 {
      return quantity.value / 100
    }
    return try Codec.share.read(item)
  }
}
