import MurmurCommands
import MurmurCompute
import MurmurSplit
import Testing

/// A live stream becomes a table of fixed size.
@Suite("The window of a live stream")
struct SplitWindowTests {
  private func window() -> SplitWindow { SplitWindow(size: 8, width: 2, classes: 3) }

  @Test("A moment has its row, its class and standardised values; one that did not come is a row of means without a class")
  func rows() throws {
    var window = window()
    for line in ["0, 1, 10, 2", "1,3,10", "3,2,,0\r"] { _ = try window.take(line) }
    let rows = window.rows
    #expect(rows.labels == [2, -1, -1, 0, -1, -1, -1, -1] && rows.training == 8)
    // 3 of 1 and 3: the mean is 2 and the deviation 1.
    #expect(rows.features[1, 0] == 1 && rows.features[1, 1] == 0)
    #expect(rows.features[2, 0] == 0 && rows.features[3, 1] == 0)
    #expect(window.newest == 3)
  }

  @Test("A new lap clears the rows ahead, so that no two laps are mixed; what is too old is left out")
  func laps() throws {
    var window = window()
    for moment in 0..<8 { _ = try window.take("\(moment),\(moment),1,1") }
    // Two rows ahead of the newest are empty: those of moments 8 and 9.
    #expect(window.rows.labels == [-1, -1, 1, 1, 1, 1, 1, 1])
    _ = try window.take("8,1,1,2")
    #expect(window.rows.labels == [2, -1, -1, 1, 1, 1, 1, 1])
    _ = try window.take("2,1,1,0")
    #expect(window.tooLate == 1 && window.rows.labels[2] == -1)
    // After a gap of more than a lap nothing old is left.
    _ = try window.take("1000,1,1,2")
    #expect(window.rows.labels.filter { $0 >= 0 } == [2] && window.rows.labels[0] == 2)
  }

  @Test(
    "A line that is none says what is wrong",
    arguments: [
      ("1,2", "2 fields"), ("x,1,2", "is no moment"), ("-1,1,2", "is no moment"), ("1,a,2", "\"a\" is no number"),
      ("1,inf,2", "is no number"), ("1,1,2,3", "they are 0 to 2"), ("1,1,2,3,4,5", "6 fields"), ("", "1 fields"),
    ])
  func refuses(line: String, words: String) {
    var window = window()
    let problem = #expect(throws: SplitWindow.Problem.self) { try window.take(line) }
    #expect(problem?.description.contains(words) == true, "\(problem?.description ?? "")")
  }
}
