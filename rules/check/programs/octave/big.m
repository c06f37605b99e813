all = {};
while true
  all{end + 1} = ones(1, 100000);
end
