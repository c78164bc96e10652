/* Proven optima of Solomon's instances with 100 customers, the shortest way alone. They are of ways
 * cut to one decimal, so that no answer with longer ways is shorter: a reference below such an
 * optimum is no answer of its instance.
 *
 * Sources: Solomon's page of optima (Kohl et al. 1999, Larsen 1999, Cook and Rich 1999, Irnich and
 * Villeneuve 2006, Chabrier 2006); Jepsen, Petersen, Spoorendonk and Pisinger 2008; Desaulniers,
 * Lessard and Hadjar 2008; Baldacci, Mingozzi and Roberti 2011.
 *
 * Threading: read-only.
 */
#ifndef HT_BENCH_VRP_PROVEN_H
#define HT_BENCH_VRP_PROVEN_H

/* 0: there is none here. */
double ht_vrp_proven(const char *name);

#endif
