/**
 * What a run would take, before it is run: ranks and their CPUs, memory by node, time, network, and
 * how to ask Spark for it. Numbers in, numbers out: it touches neither Spark nor the hardware.
 */
package org.glmtuner.planning;
