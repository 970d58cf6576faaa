import Foundation
import Testing

@Suite("What does not work is said at once, in words that help", .serialized, .timeLimit(.minutes(3)))
struct RefusalTests {
  /// Something a newcomer might do, and what must be read then.
  struct Mistake: CustomTestStringConvertible, Sendable {
    var arguments: [String]
    var words: [String]
    var code: Int32 = 1
    var testDescription: String { arguments.joined(separator: " ") }

    init(_ arguments: String, _ words: [String], code: Int32 = 1) {
      (self.arguments, self.words, self.code) = (arguments.split(separator: " ").map(String.init), words, code)
    }
  }

  static let mistakes: [Mistake] = [
    Mistake("simulate --peers 0", ["--peers", "0"]),
    Mistake("simulate --peers many", ["--peers", "many"]),
    Mistake("simulate --rows 0", ["--rows", "0"]),
    Mistake("simulate --rows 5000", ["5,000", "rows"]),
    Mistake("simulate --hidden 0", ["--hidden", "0"]),
    Mistake("simulate --hidden 64,,8", ["--hidden"]),
    Mistake("simulate --epochs 0", ["--epochs", "0"]),
    Mistake("simulate --offline 1.5x", ["--offline", "1.5x"]),
    Mistake("simulate --offline 1.5", ["--offline", "write 1.5%"]),
    Mistake("simulate --offline -0.2", ["--offline", "-0.2"]),
    Mistake("simulate --data unlike.csv", ["unlike.csv", "99 different labels", "--label"]),
    Mistake("simulate --offline=-0.1", ["--offline", "-0.1"]),
    Mistake("simulate --offline 101", ["--offline", "101"]),
    Mistake("simulate --seed minus", ["--seed", "minus"]),
    Mistake("simulate --threads 0", ["--threads", "0"]),
    Mistake("simulate --data mnits", ["mnits", "did you mean 'mnist'", "digits"]),
    Mistake("simulate --data nowhere/rows.csv", ["nowhere/rows.csv", "no such file"]),
    Mistake("simulate --data good.csv --label colour", ["good.csv", "'colour'", "width, height, kind"]),
    Mistake("simulate --data good.csv --label 7", ["good.csv", "'7'", "width, height, kind"]),
    Mistake("simulate --data good.csv --peers 5 --rows 70", ["good", "70", "rows per peer"]),
    Mistake("simulate --data letters.csv", ["letters.csv:3:3", "'b' is not a number", "height"]),
    Mistake("simulate --data ragged.csv", ["ragged.csv:3:", "fields"]),
    Mistake("simulate --data quote.csv", ["quote.csv:2:", "quote"]),
    Mistake("simulate --data empty.csv", ["empty.csv", "empty"]),
    Mistake("simulate --data one.csv", ["one.csv", "same label, 'cat'", "--label"]),
    Mistake("simulate --data good.csv --rows 2 --out runs --seed 1 missing.yaml", ["missing.yaml", "no such scenario file"]),
    Mistake("simulate digits", ["digits", "no such scenario file", "--data digits"]),
    Mistake("simulate good.csv", ["good.csv", "not a scenario", "--data good.csv"]),
    Mistake("simulate .", ["folder"]),
    Mistake("simulate /dev/zero", ["/dev/zero", "not a scenario"]),
    Mistake("simulate garbage.yaml", ["garbage.yaml", "not a scenario"]),
    Mistake("simulate list.yaml", ["list.yaml:1:1", "map"]),
    Mistake("simulate word.yaml", ["word.yaml:1:1", "map"]),
    Mistake("simulate nowhere/x.yaml", ["nowhere/x.yaml", "no such scenario file"]),
    Mistake("simulate tab.yaml", ["tab.yaml:2:", "YAML"]),
    Mistake("simulate unknown.yaml", ["unknown.yaml:3:3", "epochz", "epochs"]),
    Mistake("simulate nodata.yaml", ["no/such/file.csv", "no such file", "data.set"]),
    Mistake("simulate --out good.csv --peers 2 --rows 20", ["good.csv", "--out"]),
    Mistake("simulate --out good.csv/below --peers 2 --rows 20", ["good.csv/below", "--out"]),
    Mistake("simulate --out /proc/murmur --peers 2 --rows 20", ["/proc/murmur", "--out"]),
    Mistake("simulate --peer 3", ["--peer", "--peers"], code: 64),
    Mistake("simulat", ["simulat"], code: 64),
    Mistake("reproduce internet-learning --seeds 0", ["--seeds 0", "1 to 1000"]),
    Mistake("reproduce internet-learning --runs 5000", ["--runs 5000", "1 to 1000"]),
    Mistake("data fetch higs", ["higs", "did you mean higgs"]),
    Mistake("data verify nothing-like-it", ["nothing-like-it", "Known names: digits"]),
    Mistake("demo --out good.csv", ["good.csv", "--out"]),
  ]

  /// A folder with what the mistakes name.
  private func folder() throws -> Folder {
    let folder = try Folder()
    let rows = (0..<40).map { "\($0 % 7),\($0 % 5),\($0 % 2 == 0 ? "cat" : "dog")" }
    try folder.write((["width,height,kind"] + rows).joined(separator: "\n") + "\n", to: "good.csv")
    try folder.write("width,height,kind\n1,2,cat\n3,b,dog\n", to: "letters.csv")
    try folder.write("width,height,kind\n1,2,cat\n3,dog\n", to: "ragged.csv")
    try folder.write("width,height,kind\n1,2,\"cat\n3,4,dog\n", to: "quote.csv")
    try folder.write("", to: "empty.csv")
    try folder.write(
      (["width,height,kind"] + rows.map { $0.replacing("dog", with: "cat") }).joined(separator: "\n"), to: "one.csv")
    try folder.write("a,b\n" + (101..<200).map { "1,0.\($0)1\n" }.joined(), to: "unlike.csv")
    try Data((0..<2000).map { UInt8(($0 * 7919 + 13) % 256) }).write(to: URL(fileURLWithPath: folder.path + "/garbage.yaml"))
    try folder.write("- name\n- seed\n", to: "list.yaml")
    try folder.write("digits\n", to: "word.yaml")
    try folder.write("peers:\n\tcount: 3\n", to: "tab.yaml")
    try folder.write("session:\n training:\n  epochz: 3\n", to: "unknown.yaml")
    try folder.write("data: {set: no/such/file.csv}\n", to: "nodata.yaml")
    return folder
  }

  @Test("Mistakes", arguments: RefusalTests.mistakes)
  func mistake(_ mistake: Mistake) throws {
    let finished = try Program(folder: folder()).run(mistake.arguments)
    #expect(finished.code == mistake.code && !finished.wasKilled, "\(finished.errors)")
    for word in mistake.words { #expect(finished.errors.contains(word), "\(finished.errors)") }
    // A sentence for people: no type's name, no code of the operating system, no usage text where it is not about usage.
    for noise in ["Error(", "NSCocoa", "errno", "Domain=", "Optional("] {
      #expect(!finished.errors.contains(noise), "\(finished.errors)")
    }
    if mistake.code == 1 {
      #expect(finished.errors.hasPrefix("murmur: ") && !finished.errors.contains("Usage:"), "\(finished.errors)")
      #expect(finished.errors.split(separator: "\n").count <= 2, "\(finished.errors)")
    }
  }

  @Test("A folder that cannot be written to is known before anything is computed")
  func unwritable() throws {
    let folder = try folder()
    let finished = try Program(folder: folder).run(["simulate", "--out", "good.csv/below"])
    #expect(finished.code == 1 && !finished.errors.contains("peers ×"), "\(finished.errors)")
  }

  @Test(
    "Without arguments, and with --help, every command explains itself",
    arguments: [[], ["simulate"], ["demo"], ["data"], ["data", "fetch"]])
  func help(command: [String]) throws {
    let folder = try Folder()
    let finished = try Program(folder: folder).run(command + ["--help"])
    #expect(finished.code == 0 && finished.errors.isEmpty)
    #expect(finished.output.contains("USAGE: murmur " + command.joined(separator: " ")), "\(finished.output)")
    #expect(finished.output.split(separator: "\n").allSatisfy { $0.count <= 120 })
    if command.isEmpty {
      let bare = try Program(folder: folder).run([])
      #expect(bare.output.contains("murmur demo") && bare.output.contains("simulate") && bare.output.contains("data"))
    }
    if command == ["simulate"] {
      for option in ["data", "label", "peers", "rows", "hidden", "epochs", "offline", "seed", "threads", "out"] {
        #expect(finished.output.contains("--\(option) <"), "--\(option)")
      }
    }
  }
}
