import ArgumentParser
import Foundation
import MurmurControl
import MurmurReports
import MurmurWire
import NIOCore
import NIOPosix

/// `murmur doctor`: is the peer reachable, from where, and what is to be changed.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say whether the running peer can be reached, from where, and what to change.",
    discussion: """
      Asks the peer where it listens and is seen, lets up to three connected peers dial it back, and looks at clocks, open files and disk. \
      Where no peer runs, it says whether one could. Ends with code 1 if there is a problem.
      """)

  @OptionGroup var options: ControlOptions
  @Option(help: ArgumentHelp("Where a peer would listen, when none runs.", valueName: "ADDRESS"))
  var listen: [String] = []
  @Flag(help: "Answer as JSON.") var json = false

  func run() async throws {
    try await Attempt.run {
      let console = Console()
      var findings: [Finding]
      if let place = try options.place(), let health = try await health(place) {
        findings = Diagnosis.findings(health)
      } else {
        findings = try await Prospects(store: options.store, place: try options.place(), listen: listen).findings()
      }
      if json {
        console.show(JSON.array(findings.map(\.json)).compact())
      } else {
        for finding in findings { console.show(finding.text(width: console.width, colour: console.isColoured)) }
      }
      if findings.contains(where: { $0.level == .problem }) { throw ExitCode(1) }
    }
  }

  /// What a peer there says of itself; `nil` if none runs.
  private func health(_ place: ControlPlace) async throws -> ControlAnswer.Health? {
    guard place.isAnswered else { return nil }
    return try await ControlClient(place).ask(.health)
  }
}

/// Whether a peer could run here.
struct Prospects {
  let store: String?
  let place: ControlPlace?
  let listen: [String]

  func findings() async throws -> [Finding] {
    var found: [Finding] = []
    if let place {
      found.append(.ok("no peer runs at \(place.path); this is what one would find"))
    } else {
      found.append(.ok("no running peer is named (--store, --control or \(ControlPlace.variable)); this is what one would find"))
    }
    for text in listen.isEmpty ? ["/ip4/0.0.0.0/tcp/4101"] : listen {
      found.append(try await couldListen(text, isDefault: listen.isEmpty))
    }
    found.append(addresses())
    if Date().timeIntervalSince1970 < 1_760_000_000 {
      found.append(.problem("the clock of this machine is years behind", fix: "set it, or let NTP do so"))
    }
    let limit = OpenFiles.limit
    found.append(
      limit >= 640
        ? .ok("a peer may open \(limit) files and sockets")
        : .warning("a peer may open \(limit) files and sockets, and wants up to 640", fix: "raise the limit: `ulimit -n 4096`"))
    if let store { found += folder(store) }
    return found
  }

  /// Tries to listen.
  private func couldListen(_ text: String, isDefault: Bool) async throws -> Finding {
    let address: Multiaddr
    do { address = try Multiaddr(parsing: text) } catch {
      throw Failure("--listen \(text): \(error); an address is like /ip4/0.0.0.0/tcp/4101")
    }
    guard address.parts.count == 2, let host = address.hostBytes, case .tcp(let port)? = address.parts.last else {
      return .problem("\(text) cannot be listened at", fix: "give /ip4/…/tcp/… or /ip6/…/tcp/…")
    }
    do {
      let socket = try SocketAddress(packedIPAddress: ByteBuffer(bytes: host), port: Int(port))
      let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .serverChannelOption(.socketOption(.so_reuseaddr), value: 1).bind(to: socket).get()
      try await channel.close()
      return .ok("a peer could listen at \(text)\(isDefault ? "" : ", as --listen says")")
    } catch let error as IOError {
      switch error.errnoCode {
      case EADDRINUSE:
        return .problem(
          "another program listens at port \(port)",
          fix:
            "stop it (`ss -ltnp 'sport = :\(port)'` names it), or give another port with --listen; with /tcp/0 the system chooses one"
        )
      case EACCES: return .problem("port \(port) is for the system's own programs", fix: "give a port from 1024 with --listen")
      case EADDRNOTAVAIL:
        return .problem(
          "\(text) is no address of this machine", fix: "give one of its own with --listen, or /ip4/0.0.0.0 for all")
      default: return .problem("\(text) cannot be listened at: \(error)", fix: "give another address with --listen")
      }
    }
  }

  /// What addresses this machine has.
  private func addresses() -> Finding {
    var names: [String] = []
    for device in (try? System.enumerateDevices()) ?? [] {
      guard let address = device.address, let text = address.ipAddress,
        let parsed = try? Multiaddr(parsing: "/\(address.protocol == .inet ? "ip4" : "ip6")/\(text)"),
        parsed.reach != .loopback, parsed.reach != .link, parsed.reach != .none
      else { continue }
      names.append("\(text) (\(Diagnosis.words(parsed.reach.name)))")
    }
    guard !names.isEmpty else {
      return .warning(
        "this machine has no address but its own loopback", fix: "connect it to a network if other machines shall reach it")
    }
    let isPrivate = !names.contains { $0.hasSuffix("(public)") }
    return .ok(
      "this machine has \(names.joined(separator: ", "))"
        + (isPrivate ? "; from the internet it could be reached only through a router that forwards the port" : ""))
  }

  /// Whether a store could be opened.
  private func folder(_ path: String) -> [Finding] {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      let above = URL(fileURLWithPath: path).deletingLastPathComponent().path
      return [
        FileManager.default.isWritableFile(atPath: above)
          ? .ok("store \(path) does not exist yet and would be made")
          : .problem(
            "store \(path) cannot be made: \(above) is not there or not writable",
            fix: "make it, or give another folder with --store")
      ]
    }
    guard isFolder.boolValue else { return [.problem("store \(path) is a file", fix: "give a folder with --store")] }
    guard FileManager.default.isWritableFile(atPath: path) else {
      return [
        .problem("store \(path) is not writable for this user", fix: "change its owner, or give another folder with --store")
      ]
    }
    var found: [Finding] = []
    if let holder = lockHolder(path) {
      found.append(
        .problem(
          "store \(path) is in use by process \(holder), which does not answer at its control socket",
          fix: "stop that process (`kill \(holder)`), or name its socket with --control if it has another"))
    } else {
      found.append(.ok("store \(path) is free to be opened"))
    }
    if let free = DiskSpace.free(path) { found.append(Diagnosis.room(free, "store \(path) is there", path)) }
    return found
  }

  /// The process that has the store's lock.
  private func lockHolder(_ path: String) -> String? {
    let file = unsafe open(path + "/lock", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    guard flock(file, LOCK_SH | LOCK_NB) != 0 else { return nil }
    let text = (try? String(contentsOfFile: path + "/lock", encoding: .utf8)) ?? ""
    let number = text.prefix { $0.isNumber }
    return number.isEmpty ? "(unknown)" : String(number)
  }
}
