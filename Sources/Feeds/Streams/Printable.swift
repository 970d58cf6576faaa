/// Text from elsewhere, as it may be shown in a log or on a terminal.
extension String {
  /// The most characters of a text that is shown.
  public static let mostPrintable = 80

  /// Whether nothing in it moves a cursor, changes a colour or turns the direction of writing.
  public var isPrintable: Bool { unicodeScalars.allSatisfy(\.isPrintable) }

  /// The text with a dot for each scalar that is not printable, cut to ``mostPrintable`` characters.
  public var printable: String {
    var out = String.UnicodeScalarView()
    // Marks on marks make a long character: scalars are counted.
    for scalar in unicodeScalars.prefix(String.mostPrintable) { out.append(scalar.isPrintable ? scalar : "·") }
    if unicodeScalars.count > String.mostPrintable { out.append("…") }
    return String(out)
  }
}

extension Unicode.Scalar {
  fileprivate var isPrintable: Bool {
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    default: true
    }
  }
}
