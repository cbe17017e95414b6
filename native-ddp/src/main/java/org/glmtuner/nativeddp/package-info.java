/**
 * The native side as Java sees it: the MPI process group, the frozen transformer, the optimiser's
 * fused loops.
 */
package org.glmtuner.nativeddp;
