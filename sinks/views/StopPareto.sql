SELECT * FROM stop_pareto('-infinity', 'infinity')
