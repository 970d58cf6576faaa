import Foundation

/// What the system knows of this process, by the names that Prometheus' own libraries use. What a system does not tell is left out.
struct ProcessFigures {
  private let begun = Date()
  private let version: String

  init(version: String) { self.version = version }

  /// The figures' lines.
  func write(to text: inout String) {
    func gauge(_ name: String, _ help: String, _ value: Double?) {
      guard let value else { return }
      PrometheusText.head(name, .gauge, help, to: &text)
      PrometheusText.line(name, "", PrometheusText.number(value), to: &text)
    }
    PrometheusText.head("murmur_build_info", .gauge, "Always 1; the labels say what runs.", to: &text)
    PrometheusText.line("murmur_build_info", PrometheusText.labels([("version", version)]), "1", to: &text)
    gauge("murmur_uptime_seconds", "Since the endpoint was there.", Date().timeIntervalSince(begun))
    gauge("process_start_time_seconds", "When the endpoint was there, in seconds since 1970.", begun.timeIntervalSince1970)
    let (resident, virtual) = memory
    gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.", resident)
    gauge("process_virtual_memory_bytes", "Addresses that the process uses.", virtual)
    gauge("process_open_fds", "Files and sockets that are open.", openFiles)
    gauge("process_max_fds", "Files and sockets that may be open.", mostFiles)
    if let seconds = processorSeconds {
      PrometheusText.head("process_cpu_seconds_total", .counter, "Processor time, the system's for it included.", to: &text)
      PrometheusText.line("process_cpu_seconds_total", "", PrometheusText.number(seconds), to: &text)
    }
  }

  private var memory: (Double?, Double?) {
    guard let words = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " "), words.count > 1
    else { return (nil, nil) }
    let page = Double(sysconf(Int32(_SC_PAGESIZE)))
    return (Double(words[1]).map { $0 * page }, Double(words[0]).map { $0 * page })
  }

  private var openFiles: Double? {
    guard let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") else { return nil }
    // One of them is the folder's own.
    return Double(files.count - 1)
  }

  private var mostFiles: Double? {
    var limit = rlimit()
    #if os(Linux)
    let code = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    #else
    let code = unsafe getrlimit(RLIMIT_NOFILE, &limit)
    #endif
    return code == 0 ? Double(limit.rlim_cur) : nil
  }

  private var processorSeconds: Double? {
    var usage = rusage()
    #if os(Linux)
    let own = RUSAGE_SELF.rawValue
    #else
    let own = RUSAGE_SELF
    #endif
    guard unsafe getrusage(own, &usage) == 0 else { return nil }
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
  }
}
