import Foundation
import MurmurMachines
import MurmurScenario
import Testing

/// Mutations of the examples, from a seed: none may trap or hang, and what reads must print as something that reads the same.
@Suite struct FuzzTests {
  @Test func mutatedScenariosNeverTrap() throws {
    let seeds = try examples().map { Array($0.text.utf8) } + [Array(Scenario().yaml.utf8)]
    let total = ProcessInfo.processInfo.environment["MURMUR_FUZZ"].flatMap { Int($0) } ?? 20_000
    let root = Chance(seed: 2_021)
    var read = 0
    for round in 0..<total {
      var chance = root.fork("mutation", round)
      var bytes = seeds[chance.below(seeds.count)]
      for _ in 0..<(1 + chance.below(4)) { mutate(&bytes, &chance) }
      do throws(ScenarioError) {
        let scenario = try Scenario(bytes: bytes, file: "t.yaml")
        read += 1
        if round % 8 == 0 {
          #expect(try Scenario(yaml: scenario.yaml, file: "t.yaml") == scenario, "seed 2021, round \(round)\n\(scenario.yaml)")
          var events = scenario.forecast().events()
          for _ in 0..<100 { if events.next() == nil { break } }
        }
      } catch {
        let isClear = error.problems.allSatisfy { $0.line > 0 && $0.column > 0 && !$0.description.contains("\n") }
        #expect(isClear && !error.problems.isEmpty, "seed 2021, round \(round): \(error)")
      }
    }
    #expect(read > total / 100 && read < total, "\(read) of \(total) read")
  }

  private static let words = [
    "*a", "&a ", "[", "]", "{", "}", ": ", "- ", "? ", "!!int ", "%", "|\n", ">\n", "\"", "'", "#", "\n  ", "\t", "~", "<<: ",
    "---\n",
    "99999999999999999999", "-1", "1e999", "nan", "0", "80 %", "5 d", "-3 s", "[0-4]", "any 9", "all", "never", "\u{85}",
    "\u{2028}",
    "\u{0}", "µs", "1e-320", "[[", "offline", "session", "0x1p3", "٣",
  ]

  private func mutate(_ bytes: inout [UInt8], _ chance: inout Chance) {
    guard !bytes.isEmpty else { return }
    let place = chance.below(bytes.count)
    switch chance.below(7) {
    case 0: bytes[place] = UInt8(truncatingIfNeeded: chance.next())
    case 1: bytes.insert(contentsOf: FuzzTests.words[chance.below(FuzzTests.words.count)].utf8, at: place)
    case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + chance.below(8)))
    case 3: bytes.removeLast(bytes.count - place)
    case 4:
      let digits = bytes.indices.filter { (48...57).contains(bytes[$0]) }
      if !digits.isEmpty { bytes[digits[chance.below(digits.count)]] = UInt8(48 + chance.below(10)) }
    case 5:
      let end = min(bytes.count, place + chance.below(60))
      bytes.insert(contentsOf: bytes[place..<end], at: chance.below(bytes.count))
    default:
      var lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
      lines.swapAt(chance.below(lines.count), chance.below(lines.count))
      bytes = Array(lines.joined(separator: [10]))
    }
  }
}
