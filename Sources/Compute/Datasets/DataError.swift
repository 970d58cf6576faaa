/// What is wrong with a data file or with what was asked of a data set: where, what, and what to do about it.
///
/// Its description is one line made for people: `rows.csv:17:4: 'abc' is not a number; …`.
public struct DataError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file, as it was named; empty where no file is concerned.
  public var file: String
  /// Where in the file.
  public var place: Place
  /// What is wrong, in plain words.
  public var problem: String
  /// What to do about it; may be empty.
  public var advice: String

  /// A position in a file.
  public enum Place: Hashable, Sendable {
    /// The file as a whole.
    case whole
    /// A line and a column of a text file, both counted from one; the column counts bytes.
    case text(line: Int, column: Int)
    /// An offset from the beginning of a binary file.
    case byte(Int)
  }

  /// An error in `file` as a whole.
  public init(_ file: String, _ problem: String, advice: String = "") {
    self.init(file, .whole, problem, advice: advice)
  }

  /// An error in `file` at `place`.
  public init(_ file: String, _ place: Place, _ problem: String, advice: String = "") {
    self.file = file
    self.place = place
    self.problem = problem
    self.advice = advice
  }

  /// File, place, problem and advice in one line.
  public var description: String {
    let position =
      switch place {
      case .whole: file
      case .text(let line, let column): "\(file):\(line):\(column)"
      case .byte(let offset): "\(file), byte \(offset)"
      }
    return (position.isEmpty ? "" : "\(position): ") + problem + (advice.isEmpty ? "" : "; \(advice)")
  }
}
