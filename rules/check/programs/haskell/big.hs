import qualified Data.Map.Strict as M

main :: IO ()
main = go M.empty [1 :: Int ..]
  where
    go m (x : xs) = let m' = M.insert x x m in m' `seq` go m' xs
    go m [] = print (M.size m)
