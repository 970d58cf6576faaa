/// What is wrong with a scenario or session file: every problem found, each as one line `file:line:column: what; what to do`.
public struct ScenarioError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The problems, in the order of the file; at least one, at most ``limit``.
  public let problems: [Problem]

  /// How many problems are reported at most.
  public static let limit = 20

  /// An error of these problems.
  public init(_ problems: [Problem]) { self.problems = Array(problems.prefix(ScenarioError.limit)) }

  /// One line per problem.
  public var description: String { problems.map(\.description).joined(separator: "\n") }

  /// One thing that is wrong, and where.
  public struct Problem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file as the user named it, or the command-line option.
    public var file: String
    /// The line, from 1; 0 where there is none.
    public var line: Int
    /// The column in characters, from 1; 0 where there is none.
    public var column: Int
    /// What is wrong.
    public var message: String
    /// What to do about it.
    public var advice: String

    /// A problem at a place.
    public init(file: String, line: Int = 0, column: Int = 0, message: String, advice: String) {
      self.file = file
      self.line = line
      self.column = column
      self.message = message
      self.advice = advice
    }

    /// `file:line:column: message; advice`.
    public var description: String {
      let place = line > 0 ? "\(file):\(line):\(column)" : file
      return "\(place): \(message); \(advice)"
    }
  }
}
