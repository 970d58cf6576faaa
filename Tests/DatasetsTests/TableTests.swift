import MurmurCompute
import MurmurDatasets
import MurmurMachines
import Testing

/// Reads a table written in a test.
private func read(_ text: String, _ change: (inout CSV.Options) -> Void = { _ in }) throws(DataError) -> Dataset {
  var options = CSV.Options()
  change(&options)
  return try CSV.parse(bytes: Array(text.utf8), file: "rows.csv", options: options)
}

@Suite("Tables: whatever people call a CSV file")
struct TableTests {
  @Test(
    "delimiters, line ends, byte order marks and missing last line ends make no difference",
    arguments: [
      "a,b,label\n1,2,x\n3,4,y\n", "a;b;label\r\n1;2;x\r\n3;4;y\r\n", "a\tb\tlabel\n1\t2\tx\n3\t4\ty",
      "\u{feff}a,b,label\n1,2,x\n\n3,4,y\n\n",
      "\"a\",\"b\",\"label\"\n\"1\",\"2\",\"x\"\n3,4,\"y\"", "a,b,label\r1,2,x\r3,4,y\r", "label,a,b\nx,1,2\ny,3,4\n",
      "# Label,a,b\nx,1,2\ny,3,4\n",
      " a , b , label \n 1 , 2 , x \n 3 , 4 , y \n",
    ])
  func dialects(text: String) throws {
    let table = try read(text)
    #expect(table.featureNames == ["a", "b"])
    #expect(table.classNames == ["x", "y"])
    #expect(table.samples.row(0) == [1, 2])
    #expect(table.samples.row(1) == [3, 4])
    #expect(table.samples.labels == [0, 1])
  }

  @Test("pieces of any length give the same table as the whole")
  func pieces() throws {
    let text = "\u{feff}a,\"b \"\"c\"\"\",label\r\n1,2,\"x,\r\nz\"\r\n\r\n3.5e2,,y\r\n-4,.5,y"
    let whole = try read(text)
    #expect(whole.featureNames == ["a", "b \"c\""])
    #expect(whole.classNames == ["x,\r\nz", "y"])
    #expect(whole.missing == 1)
    for length in 1...12 {
      var table = CSV.Table(file: "rows.csv")
      var bytes = Array(text.utf8)[...]
      while !bytes.isEmpty {
        try table.feed(Array(bytes.prefix(length)))
        bytes = bytes.dropFirst(length)
      }
      let pieced = try table.finish()
      #expect(pieced.samples.labels == whole.samples.labels, "pieces of \(length)")
      #expect(pieced.classNames == whole.classNames)
      #expect(pieced.samples.row(2) == [-4, 0.5])
      #expect(pieced.samples.row(1)[1].isNaN)
    }
  }

  @Test("the label column by name, by index, from the end, or not at all")
  func labelColumns() throws {
    let text = "p,q,r\n1,2,0\n3,2,1\n"
    #expect(try read(text).featureNames == ["p", "q"])
    #expect(try read(text) { $0.label = .named("q") }.classNames == ["2"])
    #expect(try read(text) { $0.label = .named("0") }.classNames == ["1", "3"])
    #expect(try read(text) { $0.label = .named("-2") }.featureNames == ["p", "r"])
    #expect(try read(text) { $0.label = .none }.samples.width == 3)
    #expect(try read("1.000e+00,5\n0,6\n1,7\n") { $0.label = .named("0") }.classNames == ["0", "1"])
  }

  @Test("a group column deals rows to groups, columns can be left out, rows can be limited")
  func groupsAndSkips() throws {
    let text = "station,date,x,label\nB,2011-01-02,1,0\nA,2011-01-02,2,1\nB,2011-01-03,3,0\n"
    let table = try read(text) {
      $0.group = "station"
      $0.skip = ["date"]
    }
    #expect(table.groupNames == ["A", "B"])
    #expect(table.groups == [1, 0, 1])
    #expect(table.featureNames == ["x"])
    let two = try read(text) {
      $0.skip = ["station", "date"]
      $0.rowLimit = 2
    }
    #expect(two.count == 2)
  }

  @Test("missing values stay out of the way until they are filled with the mean of the training rows, or as asked")
  func missingValues() throws {
    let text = "a,b,label\n1,?,x\n3,NA,y\n,4,x\n100,8,y\n"
    let table = try read(text)
    #expect(table.missing == 3)
    let filled = Standardisation.fit(on: table.samples, rows: [0, 1, 2], method: .none).apply(to: table.samples)
    #expect(filled.row(0) == [1, 4])
    #expect(filled.row(2) == [2, 4])
    #expect(try read(text) { $0.missing = .dropRow }.count == 1)
    #expect(
      throws: DataError(
        "rows.csv", .text(line: 2, column: 3), "a value is missing", advice: "fill it in, or allow missing values")
    ) {
      try read(text) { $0.missing = .refuse }
    }
  }

  @Test(
    "a malformed table is refused with file, line and column",
    arguments: [
      ("a,b,label\n1,2,x\n1,zwei,y\n", "rows.csv:3:3: 'zwei' is not a number"),
      ("a,b,label\n1,2,x\n\n1,2\n", "rows.csv:4:4: this row has 2 fields"),
      ("a,b,label\n1,2,\"ca\"t\n", "rows.csv:2:5: the quotes"),
      ("a,b,label\n1,2,x,9\n", "rows.csv:2:7: this row has 4 fields"), ("a,b,label\n1,2,\"x\n", "rows.csv:2:5: the quotes"),
      ("a,b,label\n1,2,\n", "rows.csv:2:5: the label is missing"), ("a,b,label\n", "rows.csv:2:1: there are no rows"),
      ("", "rows.csv:1:1: there are no rows"),
      ("a\n1\n", "rows.csv:1:1: there is no column left"), ("a,b,label\n1e40,2,x\n", "rows.csv:2:1: this number is out of range"),
      ("a,b,label\n\"1\"5,2,x\n", "rows.csv:2:"),
    ])
  func malformed(text: String, message: String) throws {
    let error = #expect(throws: DataError.self) { try read(text) }
    #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
  }

  @Test("too many different labels, and unknown columns, are explained")
  func explained() throws {
    let many = "a,label\n" + (0..<20).map { "\($0),\(Double($0) + 0.5)\n" }.joined()
    let error = #expect(throws: DataError.self) { try read(many) { $0.maximumClasses = 10 } }
    #expect(
      error?.description
        == "rows.csv:12:4: column 'label' has more than 10 different values; it does not look like a label; name the label column"
    )
    let unknown = #expect(throws: DataError.self) { try read("a,b\n1,2\n") { $0.label = .named("klass") } }
    #expect(unknown?.description.contains("the 2 columns are a, b") == true)
  }

  @Test("numbers are read as the standard library reads them")
  func numbers() throws {
    var chance = Chance(seed: 5)
    var texts: [String] = [
      "0", "-0.0", "1e-30", "123456789012345678901234567890", "9007199254740993", "1.17549435e-38", "+5", ".5", "5.", "3e+2",
    ]
    for _ in 0..<2000 {
      let value = (chance.uniform() - 0.5) * Portable.exp(60 * (chance.uniform() - 0.5))
      texts.append(chance.happens(0.5) ? "\(value)" : "\(Float(value))")
    }
    let table = try read(texts.map { $0 + ",x\n" }.joined()) { $0.header = false }
    for (row, text) in texts.enumerated() {
      let expected = Float(Double(text.hasSuffix(".") ? text + "0" : text) ?? .nan)
      #expect(table.samples.row(row)[0] == expected, "\(text)")
    }
  }
}
