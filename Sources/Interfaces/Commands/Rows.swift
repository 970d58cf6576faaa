import Foundation
import MurmurDatasets
import MurmurLibrary
import MurmurScenario

/// Where a scenario's rows come from.
enum Rows {
  static func load(_ plan: DataPlan, _ console: Console) throws -> Dataset {
    guard let first = plan.set.first else { throw Failure("the scenario names no data set; give data.set or --data") }
    guard plan.set.count == 1 else {
      throw Failure("data.set names \(plan.set.count) files; give one, and the files that belong to it are found beside it")
    }
    if let bytes = Catalogue.entry(named: first)?.files.reduce(0, { $0 + ($1.bytes ?? 0) }), bytes > 5_000_000 {
      console.say("reading \(first) …")
    }
    let library = Library()
    guard case .group(let column?) = plan.partition else { return try library.load(first, label: plan.label) }
    var options = CSV.Options()
    if let label = plan.label { options.label = .named(label) }
    options.group = column
    return try library.load(first, options: options)
  }
}
