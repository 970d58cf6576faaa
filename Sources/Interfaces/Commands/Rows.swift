import Foundation
import MurmurCompute
import MurmurDatasets
import MurmurLibrary
import MurmurScenario

/// Where a scenario's rows come from.
enum Rows {
  /// Rows of which no column is a label.
  static func loadUnlabelled(_ plan: DataPlan, _ console: Console) throws -> Dataset {
    guard plan.label == nil else {
      throw Failure("data.label and data.target: what is told is a class or a number; give one of them")
    }
    return try load(plan, console, label: CSV.Column.none)
  }

  static func load(_ plan: DataPlan, _ console: Console) throws -> Dataset {
    let dataset = try load(plan, console, label: plan.label.map { .named($0) })
    try check(dataset, plan.set.first ?? "", isGuessed: plan.label == nil)
    return dataset
  }

  private static func load(_ plan: DataPlan, _ console: Console, label: CSV.Column?) throws -> Dataset {
    guard let first = plan.set.first else { throw Failure("the scenario names no data set; give data.set or --data") }
    guard plan.set.count == 1 else {
      throw Failure("data.set names \(plan.set.count) files; give one, and the files that belong to it are found beside it")
    }
    if let bytes = Catalogue.entry(named: first)?.files.reduce(0, { $0 + ($1.bytes ?? 0) }), bytes > 5_000_000 {
      console.say("reading \(first) …")
    }
    var options = CSV.Options()
    if let label { options.label = label }
    if case .group(let column?) = plan.partition { options.group = column }
    let dataset: Dataset
    do {
      dataset = try Library().load(first, options: options)
    } catch {
      guard case .file(let path, let problem, _) = error, path == first else { throw error }
      let folder = FileManager.default.currentDirectoryPath
      throw Failure("\(path): \(problem); data are looked for from the folder \(folder); check data.set or --data")
    }
    return dataset
  }

  /// Whether there is something to tell apart.
  private static func check(_ dataset: Dataset, _ name: String, isGuessed: Bool) throws {
    let classes = dataset.samples.classes
    let advice = isGuessed ? "say which column holds the label with --label" : "is it the right label column?"
    switch classes {
    case 0: throw Failure("\(name): there are no labels to learn; \(advice)")
    case 1: throw Failure("\(name): every row has the same label, '\(dataset.classNames.first ?? "")'; \(advice)")
    default:
      guard classes > 20, classes > dataset.count / 2 else { return }
      throw Failure("\(name): \(dataset.count) rows have \(classes) different labels, which is no classification; \(advice)")
    }
  }
}
