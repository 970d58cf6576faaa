import MurmurDatasets
import MurmurMachines
import Testing

@Suite struct StationTests {
  @Test func `a table with a column per station is read as it stands`() throws {
    let readings = try StationReadings.wide(bytes: Array("773869,767541\n64.5,67\n,66\n".utf8), file: "speeds.csv")
    #expect(readings.stations == ["773869", "767541"] && readings.times == 2)
    #expect(readings[0, 0, 0] == 64.5 && readings[1, 0, 0].isNaN && readings.series(1, 0) == [67, 66])
  }

  @Test func `a row per station and day is put in the order of days, and what is not there is missing`() throws {
    let text = "ID,Date,water,warmth\nB,2011-01-03,0.2,5\nA,2011-01-02,0.3,\nB,2011-01-02,0.1,4\n"
    let readings = try StationReadings.long(bytes: Array(text.utf8), file: "soil.csv", station: "ID", time: "Date")
    #expect(readings.stations == ["A", "B"] && readings.variables == ["water", "warmth"])
    #expect(readings.timeNames == ["2011-01-02", "2011-01-03"])
    #expect(readings.series(1, 0) == [0.1, 0.2] && readings[0, 0, 0] == 0.3)
    #expect(readings[0, 0, 1].isNaN && readings[1, 0, 0].isNaN)
    let error = #expect(throws: DataError.self) {
      try StationReadings.long(bytes: Array((text + "B,2011-01-03,1,1\n").utf8), file: "soil.csv", station: "ID", time: "Date")
    }
    #expect(error?.description == "soil.csv: B has two rows of 2011-01-03; keep one of them")
  }

  @Test func `nearness is the same in both directions, from weights and from places`() throws {
    let matrix = try StationNearness.matrix(bytes: Array("1,0.5,0\n0,1,0.2\n0,0.4,1\n".utf8), file: "near.csv")
    #expect(matrix[1, 0] == 0.5 && matrix[1, 2] == 0.4 && matrix[0, 0] == 0)
    #expect(matrix.nearest(1, count: 5) == [0, 2] && matrix.nearest(0, count: 5) == [1])
    let places = try StationNearness.places(
      bytes: Array("ID,x,y\nC,0,0\nA,3,4\nB,0,1\n".utf8), file: "places.csv", station: "ID", names: ["A", "B", "C"])
    #expect(places[0, 2] == 0.2 && places.nearest(2, count: 1) == [1])
    for text in ["1,2\n3,4\n5,6\n", "1,-1\n0,1\n", "1,inf\n0,1\n"] {
      #expect(throws: DataError.self) { try StationNearness.matrix(bytes: Array(text.utf8), file: "near.csv") }
    }
    #expect(throws: DataError.self) {
      try StationNearness.places(bytes: Array("ID,x,y\nC,0,0\n".utf8), file: "places.csv", station: "ID", names: ["A", "C"])
    }
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>) func `hostile tables of stations give an error or readings, never a crash`(
    seed: UInt64
  ) {
    let seeds = [
      "a,b\n1,2\n3,4\n", "ID,Date,v\nA,1,2\nB,1,3\nA,2,4\n", "1,0.5\n0.5,1\n", "ID,x,y\nA,1,2\nB,3,4\n",
    ].map { Array($0.utf8) }
    var refused = 0
    for round in 0..<2_000 {
      var chance = Chance(seed: seed).fork("round", round)
      var bytes = seeds[chance.below(seeds.count)]
      for _ in 0..<1 + chance.below(5) where !bytes.isEmpty {
        let place = chance.below(bytes.count)
        switch chance.below(5) {
        case 0: bytes[place] = UInt8(chance.below(256))
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(Array("\",;\n\r-.e9NaIDv".utf8)[chance.below(14)], at: place)
        case 3: bytes.removeLast(bytes.count - place)
        default: bytes += seeds[chance.below(seeds.count)]
        }
      }
      do throws(DataError) {
        switch chance.below(4) {
        case 0: _ = try StationReadings.wide(bytes: bytes, file: "f")
        case 1: _ = try StationReadings.long(bytes: bytes, file: "f", station: "ID", time: "Date")
        case 2: _ = try StationNearness.matrix(bytes: bytes, file: "f")
        default: _ = try StationNearness.places(bytes: bytes, file: "f", station: "ID", names: ["A", "B"])
        }
      } catch {
        refused += 1
        if error.problem.isEmpty { Issue.record("seed \(seed), round \(round): an error without words") }
      }
    }
    #expect(refused > 100, "seed \(seed)")
  }
}
