/// The report of one run: a page for people and a table for the terminal.
public struct RunReport: Hashable, Sendable {
  /// What came of the run.
  public var result: RunResult
  /// How it went over time.
  public var series: Series

  /// The report of a run.
  public init(result: RunResult, series: Series) {
    self.result = result
    self.series = series
  }
}

/// Several runs side by side, for example one at 0 % and one at 80 % offline.
public struct ComparisonReport: Hashable, Sendable {
  /// The page's heading.
  public var title: String
  /// The outcome in a sentence; `nil` to have it written from the figures.
  public var verdict: String?
  /// The command that gives all runs again.
  public var command: String
  /// What must be said about all of them, a sentence each.
  public var notes: [String]
  /// The runs, in the order to show them.
  public var runs: [Run]

  /// A comparison of runs.
  public init(title: String, verdict: String? = nil, command: String = "", notes: [String] = [], runs: [Run]) {
    self.title = title
    self.verdict = verdict
    self.command = command
    self.notes = notes
    self.runs = runs
  }

  /// One of the runs.
  public struct Run: Hashable, Sendable {
    /// What tells it from the others, e.g. `80 % offline`.
    public var label: String
    /// Its report.
    public var report: RunReport

    /// A labelled run.
    public init(_ label: String, _ report: RunReport) {
      self.label = label
      self.report = report
    }
  }
}

/// A paper's figures and tables, ours beside the authors' values, and what holds of each finding.
public struct ReproductionReport: Hashable, Sendable {
  /// The page's heading.
  public var title: String
  /// Authors, title, year, where it appeared.
  public var paper: String
  /// What was done, in a few sentences; each string is a paragraph.
  public var introduction: [String]
  /// The command that gives everything again.
  public var command: String
  /// The seeds used.
  public var seeds: [UInt64]
  /// The figures and tables, in the paper's order.
  public var exhibits: [Exhibit]
  /// What must be said about all of it, a sentence each.
  public var notes: [String]
  /// What else to show about how it was made, e.g. traces, versions and durations: a name and a value each.
  public var facts: [Fact]

  /// A reproduction of a paper.
  public init(
    title: String, paper: String, introduction: [String] = [], command: String = "", seeds: [UInt64] = [],
    exhibits: [Exhibit] = [], notes: [String] = [], facts: [Fact] = []
  ) {
    self.title = title
    self.paper = paper
    self.introduction = introduction
    self.command = command
    self.seeds = seeds
    self.exhibits = exhibits
    self.notes = notes
    self.facts = facts
  }

  /// A name and a value.
  public struct Fact: Hashable, Sendable {
    /// The name.
    public var name: String
    /// The value.
    public var value: String

    /// A name and a value.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// One figure or table of the paper.
  public struct Exhibit: Hashable, Sendable {
    /// The paper's number, e.g. `Figure 6` or `Table 7`.
    public var number: String
    /// What it shows.
    public var title: String
    /// What to see in it, and what was done differently; each string is a paragraph.
    public var text: [String]
    /// Our pictures.
    public var figures: [Figure]
    /// Our tables.
    public var tables: [Table]
    /// The paper's findings, each beside ours.
    public var findings: [Finding]

    /// A figure or table of the paper.
    public init(
      number: String, title: String, text: [String] = [], figures: [Figure] = [], tables: [Table] = [], findings: [Finding] = []
    ) {
      self.number = number
      self.title = title
      self.text = text
      self.figures = figures
      self.tables = tables
      self.findings = findings
    }
  }

  /// One thing the paper found, and what we found.
  public struct Finding: Hashable, Sendable {
    /// What is compared, e.g. `spread at 80 % offline, digits`.
    public var subject: String
    /// The paper's value or words.
    public var paper: String
    /// Ours.
    public var ours: String
    /// What holds of it.
    public var outcome: Outcome
    /// Why, or how to read it; empty if there is nothing to add.
    public var remark: String

    /// A finding with its outcome.
    public init(_ subject: String, paper: String, ours: String, outcome: Outcome, remark: String = "") {
      self.subject = subject
      self.paper = paper
      self.ours = ours
      self.outcome = outcome
      self.remark = remark
    }
  }

  /// What holds of a finding.
  public enum Outcome: String, Hashable, Sendable, CaseIterable {
    /// Ours agrees, or is better in the same direction.
    case holds = "holds"
    /// It agrees in part or under conditions.
    case partly = "holds in part"
    /// It does not agree.
    case fails = "does not hold"
    /// The paper gives no value, or conditions differ too much.
    case open = "not comparable"
  }
}
