package org.glmtuner.executor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.executor.RankHost.Purpose;
import org.glmtuner.storage.RandomNames;
import org.glmtuner.topology.Topology;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.TrainAssignment;

/**
 * The ranks of a group on this machine alone, without Spark: the processes, their cores and their
 * process group are those of a run. For one thread; closing it ends all of them.
 */
public final class LocalRanks implements AutoCloseable {
  private static final int POLL_MILLIS = 2;

  private final TaskSignal signal;
  private final ExecutorService forks;
  private final List<RankHost> hosts = new ArrayList<>(); // by rank
  private final List<PmiService> services = new ArrayList<>();

  private LocalRanks(int count, TaskSignal signal) {
    this.signal = signal;
    this.forks = Executors.newFixedThreadPool(count, LocalRanks::daemon);
  }

  private static Thread daemon(Runnable body) {
    Thread thread = new Thread(body, "rank-fork");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Starts all ranks at once and waits until they have connected. They are numbered by their CPUs.
   *
   * @param config its cache, ranks and MPI count
   * @param cores of each rank
   */
  public static LocalRanks open(TunerConfig config, Topology topology, int count, int cores)
      throws IOException, InterruptedException {
    return open(config, topology, count, cores, TaskSignal.NEVER);
  }

  /**
   * As the other, until {@code signal} says that it is enough: every wait ends by throwing then.
   */
  static LocalRanks open(
      TunerConfig config, Topology topology, int count, int cores, TaskSignal signal)
      throws IOException, InterruptedException {
    HostIdentity here = HostIdentity.read();
    return start(
        new LocalRanks(count, signal),
        ranks -> ranks.forkGroup(config, topology, count, cores, rank -> here));
  }

  /** As {@link #open}, with ranks that are told to be where {@code places} says. */
  static LocalRanks open(
      TunerConfig config, Topology topology, int count, int cores, IntFunction<HostIdentity> places)
      throws IOException, InterruptedException {
    return start(
        new LocalRanks(count, TaskSignal.NEVER),
        ranks -> ranks.forkGroup(config, topology, count, cores, places));
  }

  /** As {@link #open}, with ranks that form no group: they need no MPI library. */
  static LocalRanks openAlone(
      TunerConfig config, Topology topology, int count, int cores, TaskSignal signal)
      throws IOException, InterruptedException {
    return start(
        new LocalRanks(count, signal),
        ranks -> ranks.fork(config, Purpose.SERVER, topology, count, cores));
  }

  private interface Forking {
    void run(LocalRanks ranks) throws IOException, InterruptedException;
  }

  private static LocalRanks start(LocalRanks ranks, Forking forking)
      throws IOException, InterruptedException {
    try {
      forking.run(ranks);
      return ranks;
    } catch (IOException | InterruptedException | RuntimeException e) {
      try {
        ranks.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  private void forkGroup(
      TunerConfig config, Topology topology, int count, int cores, IntFunction<HostIdentity> places)
      throws IOException, InterruptedException {
    fork(config, Purpose.MEMBER, topology, count, cores);
    serve(RandomNames.next(), places);
  }

  /**
   * A thread of its own for each, because the kernel ends a rank with the thread that forked it.
   */
  private void fork(TunerConfig config, Purpose purpose, Topology topology, int count, int cores)
      throws IOException, InterruptedException {
    List<Future<RankHost>> started = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      started.add(forks.submit(() -> RankHost.open(config, purpose, topology, cores, signal)));
    }
    Exception failure = null;
    for (Future<RankHost> host : started) {
      try {
        hosts.add(host.get());
      } catch (ExecutionException e) {
        if (failure == null && e.getCause() instanceof Exception cause) {
          failure = cause;
        } else if (failure == null) {
          failure = e;
        }
      }
    }
    if (failure instanceof IOException io) {
      throw io;
    } else if (failure instanceof RuntimeException unchecked) {
      throw unchecked;
    } else if (failure != null) {
      throw new IllegalStateException("Cannot start the ranks: " + failure, failure);
    }
    hosts.sort(Comparator.comparing(host -> host.claim().group().cpus().get(0)));
    for (int rank = 0; rank < hosts.size(); rank++) {
      RankSession session = hosts.get(rank).session();
      session.name("rank " + rank + " (process " + session.pid() + ")");
    }
  }

  private void serve(String name, IntFunction<HostIdentity> places) throws IOException {
    List<RankPlan.Facts> facts = new ArrayList<>();
    for (RankHost host : hosts) {
      int rank = facts.size();
      facts.add(new RankPlan.Facts(rank, places.apply(rank), host.claim().group(), List.of()));
    }
    PmiServer.Group group = new RankPlan(facts).group(name);
    LocalKeyExchange exchange = new LocalKeyExchange(hosts.size());
    for (int rank = 0; rank < hosts.size(); rank++) {
      RankHost host = hosts.get(rank);
      services.add(PmiService.start(new PmiServer(group, exchange), rank, host));
    }
  }

  /** How a rank finds the others. */
  public TrainAssignment.Membership membership(int rank) {
    return new TrainAssignment.Membership(
        rank, hosts.size(), hosts.get(rank).mpiLibrary(), services.get(rank).socket().toString());
  }

  /** A directory for the files of a rank; it goes with the rank. */
  public Path snapshots(int rank) throws IOException {
    return Files.createDirectories(hosts.get(rank).directory().files().resolve("snapshots"));
  }

  public int count() {
    return hosts.size();
  }

  /** Threads that compute in each. */
  public int threads() {
    return hosts.get(0).claim().group().threads();
  }

  /** The kernel's word on where the threads of a rank are. */
  Binding.Readback readBack(int rank, Frame.Ready ready) throws IOException {
    return hosts.get(rank).readBack(ready);
  }

  /** What joins them once they have summed, by rank. */
  List<RankTransport> transports() throws IOException {
    String node = HostIdentity.read().node();
    List<RankTransport> transports = new ArrayList<>();
    for (int rank = 0; rank < count(); rank++) {
      transports.add(RankTransport.of(pid(rank), node));
    }
    return transports;
  }

  /** The rank's process. */
  public long pid(int rank) {
    return hosts.get(rank).session().pid();
  }

  /** The CPUs that all ranks together are pinned to. */
  public List<Integer> cpus() {
    return hosts.stream().flatMap(host -> host.claim().group().cpus().stream()).toList();
  }

  /** Queues a frame for a rank. */
  public void post(int rank, Frame frame) {
    hosts.get(rank).session().post(frame);
  }

  /**
   * The next frame of each rank, once all have said one.
   *
   * @throws org.glmtuner.failure.TunerException naming the rank that died, gave up or hangs
   */
  public List<Frame> answers() throws InterruptedException {
    Frame[] answers = new Frame[hosts.size()];
    int missing = answers.length;
    while (missing > 0) {
      signal.check();
      for (int rank = 0; rank < answers.length; rank++) {
        if (answers[rank] == null) {
          answers[rank] = hosts.get(rank).session().next(POLL_MILLIS);
          missing -= answers[rank] == null ? 0 : 1;
        }
      }
    }
    return List.of(answers);
  }

  /** The next frame of one rank; the others are not watched meanwhile. */
  public Frame answer(int rank) throws InterruptedException {
    Frame answer = null;
    while (answer == null) {
      signal.check();
      answer = hosts.get(rank).session().next(POLL_MILLIS);
    }
    return answer;
  }

  /** Lets all ranks end by themselves, leaving their group in order. */
  public void finish() throws InterruptedException {
    for (int rank = 0; rank < count(); rank++) {
      post(rank, new Frame.End());
    }
    for (Frame frame : answers()) {
      if (!(frame instanceof Frame.Finished)) {
        throw new IllegalStateException("Invalid frame of a rank at its end: " + frame);
      }
    }
    for (RankHost host : hosts) {
      host.session().awaitExit(signal);
    }
  }

  @Override
  public void close() throws IOException {
    IOException failure = null;
    for (AutoCloseable part : parts()) {
      try {
        part.close();
      } catch (Exception e) {
        if (failure == null) {
          failure = new IOException("Cannot end the ranks: " + e.getMessage(), e);
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    forks.shutdown();
    if (failure != null) {
      throw failure;
    }
  }

  private List<AutoCloseable> parts() {
    List<AutoCloseable> parts = new ArrayList<>(services);
    parts.addAll(hosts);
    return parts;
  }
}
