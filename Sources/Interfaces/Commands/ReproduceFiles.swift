package import MurmurReports

extension ReproduceRuns {
  /// The files a reproduction leaves behind, by name.
  package func files(_ report: ReproductionReport, command: String) -> [(name: String, text: String)] {
    [("results.json", json(report, command: command)), ("series.csv", csv), ("report.html", report.html())]
  }

  /// Every run with its seed and figures, and every finding. Key names are a contract.
  package func json(_ report: ReproductionReport, command: String) -> String {
    let findings = report.exhibits.flatMap { exhibit in
      exhibit.findings.map { finding in
        JSON.object([
          .init("where", .string(exhibit.number)), .init("what", .string(finding.subject)),
          .init("paper", .string(finding.paper)),
          .init("ours", .string(finding.ours)), .init("outcome", .string(finding.outcome.rawValue)),
          .init("remark", .string(finding.remark)),
        ])
      }
    }
    return JSON.object([
      .init("paper", .string(report.paper)),
      .init("command", .string(command)),
      .init("seeds", .array(plan.seeds.map(JSON.unsigned))),
      .init("probabilities", .array(plan.probabilities.map(JSON.number))),
      .init("interrupted", .optional(interrupted)),
      .init("wallSeconds", .number(wallSeconds)),
      .init("findings", .array(findings)),
      .init("runs", .array(runs.map(\.value))),
    ]).indented() + "\n"
  }

  /// How every run went over time.
  package var csv: String {
    var text = "data,policy,offline,seed," + Series().csv()
    for run in runs {
      let head = "\(run.data),\(run.policy.key),\(Numerals.exact(run.probability)),\(run.seed),"
      for line in run.report.series.csv().split(separator: "\n").dropFirst() { text += head + line + "\n" }
    }
    return text
  }
}

extension ReproduceRuns.Run {
  /// The run as it stands in `results.json`: what was asked for, then the keys of `result.json`.
  fileprivate var value: JSON {
    let kept = Distribution(of: self.kept)?.value ?? .null
    let asked: [JSON.Member] = [
      .init("set", .string(data)), .init("policy", .string(policy.key)), .init("kept", kept),
    ]
    guard case .object(let members) = report.result.value else { return .object(asked) }
    return .object(asked + members)
  }
}

extension ReproducePlan.Policy {
  /// Its name for programs.
  var key: String {
    switch self {
    case .paper(let epochs): "paper-\(epochs)"
    case .standard: "default"
    }
  }
}
