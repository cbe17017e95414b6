/**
 * Measures rank processes on this machine, without Spark: what a training step costs, what an
 * all-reduce costs, and how both compare with other programs in the same run.
 */
package org.glmtuner.benchmark;
