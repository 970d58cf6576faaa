import Foundation
import MurmurDatasets
import MurmurLibrary
import Testing

private func isHere(_ file: String) -> Bool {
  Library().folders.contains { FileManager.default.fileExists(atPath: $0 + "/" + file) }
}

@Suite struct StationLoadTests {
  @Test func `who has no readings is told where they were looked for and what to do`() {
    let empty = Library(folders: ["/nowhere"], cache: "/nowhere")
    let farm = #expect(throws: LibraryError.self) { try empty.cookFarm() }
    #expect(farm?.description.contains("/nowhere") == true && farm?.description.contains("MURMUR_DATA") == true)
    let city = #expect(throws: LibraryError.self) { try empty.metrLA() }
    #expect(city?.description.contains("metr_la/metr_la_week_los_speed.csv.gz") == true)
  }

  @Test(.enabled(if: isHere("cookfarm/cookfarm_locations.csv.gz"), "set MURMUR_DATA to a folder that holds cookfarm/"))
  func `the farm has 42 stations and two years of days`() throws {
    let (readings, near) = try Library().cookFarm()
    #expect(readings.stations.count == 42 && near.stations == 42 && readings.times == 729 && readings.variables.count == 15)
    #expect(readings.timeNames.first == "2011-01-02" && readings.timeNames.last == "2012-12-30")
    #expect(readings[0, 0, 0] == 0.278)
    let missing = readings.series(0, 0).count { $0.isNaN }
    #expect(missing > 100 && missing < 400)
  }

  @Test(.enabled(if: isHere("metr_la/los_adj.csv.gz"), "set MURMUR_DATA to a folder that holds metr_la/"))
  func `the city has 207 sensors and a week of five minutes`() throws {
    let (readings, near) = try Library().metrLA()
    #expect(readings.stations.count == 207 && near.stations == 207 && readings.times == 2_016)
    #expect(readings.series(0, 0).allSatisfy { $0 > 0 && $0 <= 70 })
    #expect((0..<207).count { near.nearest($0, count: 1).isEmpty } == 1, "one sensor has no neighbour by road")
  }
}
