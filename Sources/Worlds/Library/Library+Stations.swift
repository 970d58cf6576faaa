public import MurmurDatasets

extension Library {
  /// What an unpacked file of readings may hold at most, in bytes.
  private static var mostBytes: Int { 1 << 28 }

  /// Cook Farm: soil water, temperature and conductivity at five depths of 42 stations, daily, and how near stations are to each other.
  ///
  /// - Throws: ``LibraryError`` if the files are not on this machine or not what they should be.
  public func cookFarm() throws(LibraryError) -> (readings: StationReadings, near: StationNearness) {
    let (readings, file) = try stationFile("cookfarm_readings_42st_daily.csv.gz", of: "cookfarm")
    let (places, other) = try stationFile("cookfarm_locations.csv.gz", of: "cookfarm")
    return try mapped { () throws(DataError) in
      let table = try StationReadings.long(bytes: readings, file: file, station: "SOURCEID", time: "Date")
      return (table, try StationNearness.places(bytes: places, file: other, station: "SOURCEID", names: table.stations))
    }
  }

  /// METR-LA: a week of speeds at 207 sensors of Los Angeles' roads, every five minutes, and how near sensors are to each other by road.
  ///
  /// - Throws: ``LibraryError`` if the files are not on this machine or not what they should be.
  public func metrLA() throws(LibraryError) -> (readings: StationReadings, near: StationNearness) {
    let (readings, file) = try stationFile("metr_la_week_los_speed.csv.gz", of: "metr_la")
    let (weights, other) = try stationFile("los_adj.csv.gz", of: "metr_la")
    return try mapped { () throws(DataError) in
      (try StationReadings.wide(bytes: readings, file: file), try StationNearness.matrix(bytes: weights, file: other))
    }
  }

  /// A gzipped file of a data set of stations, unpacked, and where it is.
  private func stationFile(_ name: String, of set: String) throws(LibraryError) -> (bytes: [UInt8], path: String) {
    let paths = folders.map { "\($0)/\(set)/\(name)" }
    guard let path = paths.first(where: { DiskFile.size($0) != nil }) else {
      throw .file(
        path: "\(set)/\(name)", problem: "this file is not on this machine (looked in \(folders.joined(separator: ", ")))",
        advice: "set MURMUR_DATA to the folder that holds \(set)/ with it")
    }
    let packed = try DiskFile.bytes(path)
    return (try mapped { () throws(DataError) in try Gzip.inflate(packed, limit: Library.mostBytes, file: path) }, path)
  }
}
