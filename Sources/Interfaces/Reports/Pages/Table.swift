/// Rows and columns of text, for a page or a terminal.
public struct Table: Hashable, Sendable {
  /// What the table shows; empty for none.
  public var title: String
  /// The columns.
  public var columns: [Column]
  /// The rows, each with one cell per column; missing cells are empty, surplus ones are not shown.
  public var rows: [[String]]

  /// A table.
  public init(_ title: String = "", columns: [Column], rows: [[String]] = []) {
    self.title = title
    self.columns = columns
    self.rows = rows
  }

  /// One column.
  public struct Column: Hashable, Sendable {
    /// Its heading.
    public var name: String
    /// Whether it holds numbers, which stand to the right.
    public var isNumeric: Bool

    /// A column of text.
    public static func text(_ name: String) -> Column { Column(name: name, isNumeric: false) }
    /// A column of numbers.
    public static func number(_ name: String) -> Column { Column(name: name, isNumeric: true) }
  }
}
