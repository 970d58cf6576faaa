public import MurmurSessions

/// What a real peer needs to take part: the session, and which data and model it is about. It is the part of a scenario that is not
/// simulation, and is read from a file with the keys `name`, `data.set`, `data.label`, `model` and `session` alone.
public struct SessionFile: Hashable, Sendable {
  /// The session's codename and topic.
  public var name = "session"
  /// Which rows it is about.
  public var data = Identity()
  /// The network to train.
  public var model = ModelPlan.hidden([64])
  /// What all peers agree on.
  public var session = Session()

  /// The default session on digits.
  public init() {}

  /// Which data the session is about; every peer brings its own rows of it.
  public struct Identity: Hashable, Sendable {
    /// The name of a known data set, or the files that hold this peer's rows.
    public var set = ["digits"]
    /// The column that holds the label; `nil` for the data set's own.
    public var label: String?

    /// The embedded digits.
    public init() {}
  }

  /// Reads a session file; what it leaves out keeps its default.
  ///
  /// - Throws: Every problem found, each with line, column and what to do.
  public init(yaml: String, file: String) throws(ScenarioError) {
    self.init()
    try Schema.sessionFile.read(yaml, file: file, into: &self)
  }

  /// The session file of a scenario.
  public init(_ scenario: Scenario) {
    name = scenario.name
    data.set = scenario.data.set
    data.label = scenario.data.label
    model = scenario.model
    session = scenario.session
  }

  /// The file as YAML, every default spelled out; reading it gives an equal value.
  public var yaml: String { Schema.sessionFile.write(self).document }
}

extension Schema {
  static let sessionFile: Section<SessionFile> = {
    let standard = SessionFile()
    return Section([
      Field("name", \.name, .words(upTo: 100, "a name"), "The session's codename and topic."),
      Field(
        "data", \.data,
        Section([
          Field("set", \.set, dataSet, "A known data set, a file, or a list of files."),
          Field("label", \.label, label, "The label's column."),
        ]),
        over: standard.data, "Which rows the session is about."),
      Field("model", \.model, model, "The network to train."),
      Field("session", \.session, session, over: standard.session, "What all peers agree on before they begin."),
    ])
  }()
}
