/// Tables in text: comma, semicolon or tab between fields, quotes where needed (RFC 4180), with or without a header.
public enum CSV {
  /// How a table is to be read; the defaults guess from the first lines.
  public struct Options: Hashable, Sendable {
    /// What separates fields; `nil` takes the one of comma, semicolon and tab that is most frequent in the first line.
    public var delimiter: UInt8?
    /// Whether the first line names the columns; `nil` takes it for names if a field of it is text that stands for no number.
    public var header: Bool?
    /// Which column holds the label.
    public var label = Column.guessed
    /// The column whose values are the groups of the rows, e.g. a device or a person; it is not a feature.
    public var group: String?
    /// Columns that are not features, by name or index.
    public var skip: [String] = []
    /// What happens to a missing value: an empty field, `?`, `NA`, `N/A`, `NaN` or `null`.
    public var missing = Missing.mean
    /// How many different labels there may be; more means that the column is no label.
    public var maximumClasses = 1000
    /// Reading stops after that many rows; `nil` reads all.
    public var rowLimit: Int?

    /// The default options.
    public init() {}
  }

  /// A choice of the label column.
  public enum Column: Hashable, Sendable {
    /// The column called label, class, target or y (in any case, also behind a `#`), or else the last one.
    case guessed
    /// The column with that name, or at that index from 0; a negative index counts from the end.
    case named(String)
    /// There are no labels.
    case none
  }

  /// What happens to a missing value.
  public enum Missing: Hashable, Sendable {
    /// It stays a NaN in the features, and ``Standardisation`` puts the mean over the training rows in its place.
    case mean
    /// The row is left out.
    case dropRow
    /// It is an error.
    case refuse
  }

  /// Reads a whole table.
  ///
  /// - Throws: ``DataError`` with line and column if the table is malformed.
  public static func parse(bytes: [UInt8], file: String, options: Options = Options()) throws(DataError) -> Dataset {
    var table = Table(file: file, options: options)
    try table.feed(bytes)
    return try table.finish()
  }
}
