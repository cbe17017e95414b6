package org.glmtuner.executor;

import java.io.Serializable;

/**
 * What an executor says of itself when it starts.
 *
 * @param node equal for executors whose ranks share CPUs; see {@link HostIdentity}
 * @param topology the CPUs that the executor may use
 */
public record ExecutorFacts(String executor, String node, CpuTopology topology)
    implements Serializable {}
